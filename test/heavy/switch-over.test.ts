import { afterAll, beforeAll, expect, test } from "vitest";
import { makeTestHome } from "../support/data-home";
import { expectAllWritten, keepPairLedgers } from "../support/pair-ledger";
import { until } from "../support/redis-server";
import { describeWith } from "../support/tools";
import { onPath, spellingOf, supported } from "../contract/agent-support";
import { exchange, expectRoles, infoOf, makePair, withAdmin } from "../contract/switch-over-support";

let path: Disposable;
beforeAll(() => {
  path = onPath();
});
afterAll(() => {
  path[Symbol.dispose]();
});

const ROUNDS = 8;
const LISTS = Array.from({ length: 20 }, (_, i) => `ledger:${i}`);

describeWith(supported, "switchovers", () => {
  test.each(supported.map((server) => spellingOf(server)))(
    "on %s, again and again under 20,000 writes a second, lose none of them and need no full sync",
    async (version) => {
      await using home = await makeTestHome();
      const pair = await makePair(home, { version, plan: "l_mono" });
      await using ledger = keepPairLedgers([pair.lead, pair.copy], { lists: LISTS, batch: 50, pauseMs: 10 });
      const stalls: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const reached = ledger.count();
        await until("many writes", () => ledger.count() > reached + 40_000, 60_000);
        const exchanged = await exchange(home, pair, round % 2 === 0 ? "switched-over" : "declared");
        if (exchanged.outcome !== "switched-over") throw new Error(exchanged.outcome);
        stalls.push(exchanged.measured?.worstStallMs ?? Number.NaN);
      }
      const written = await ledger.stop();
      expect(written.perSecond).toBeGreaterThan(20_000);
      expect(stalls.every((stall) => stall > 0)).toBe(true);
      await expectRoles(home, { leader: pair.lead, follower: pair.copy });
      await withAdmin(home, "lead", (admin) => expectAllWritten(admin, written));
      // The one with which it began to follow.
      expect((await infoOf(home, pair.lead)).get("sync_full")).toBe("1");
      expect((await infoOf(home, pair.copy)).get("sync_full")).toBe("0");
    },
    120_000,
  );
});
