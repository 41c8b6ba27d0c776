import { afterAll, beforeAll, it } from "vitest";
import { startAgent } from "../../provider/operations/agent";
import { systemClock } from "../../provider/system/clock";
import { makeTestHome, type TestHome } from "../support/data-home";
import { expectAllWritten, keepPairLedgers } from "../support/pair-ledger";
import { until } from "../support/redis-server";
import { describeWith } from "../support/tools";
import { onPath, spellingOf, supported } from "./agent-support";
import { exchange, expectRoles, load, makePair, withAdmin, type TestPair } from "./switch-over-support";

let path: Disposable;
beforeAll(() => {
  path = onPath();
});
afterAll(() => {
  path[Symbol.dispose]();
});

const AGENT = "the agent";
type Victim = "giver" | "receiver" | typeof AGENT;

/** In the order in which they are killed. */
const VICTIMS: readonly (readonly Victim[])[] = [
  [AGENT],
  ["giver"],
  ["receiver"],
  [AGENT, "giver"],
  [AGENT, "receiver"],
  ["giver", "receiver"],
  ["receiver", "giver", AGENT],
];
/** After its intent was recorded: from before the failover is begun to after the roles are recorded. */
const DELAYS_MS = [0, 15, 40, 80, 140, 250];

async function kill(home: TestHome, victims: readonly Victim[], names: Record<"giver" | "receiver", string>) {
  // Found first: between two of them must be no time for anybody to mend anything.
  const pids = await Promise.all(
    victims.map((victim) => (victim === AGENT ? home.agentPid() : home.serverPid(names[victim]))),
  );
  for (const pid of pids) process.kill(pid, "SIGKILL");
}

/** Begins an exchange of roles, kills, and lets the next agent find out who leads. */
async function round(home: TestHome, pair: TestPair, victims: readonly Victim[], delayMs: number) {
  const isSwitched = (await load(home, "lead")).demoted !== undefined;
  const names = isSwitched ? { giver: "copy", receiver: "lead" } : { giver: "lead", receiver: "copy" };
  const caller = new AbortController();
  const task = { ...home.task, signal: caller.signal };
  const exchanged = exchange(home, pair, isSwitched ? "declared" : "switched-over", { task }).catch(
    () => undefined,
  );
  // Before that nothing is at stake.
  await until("the intent", async () => (await load(home, names.giver)).handingOver !== undefined, 30_000);
  await systemClock.sleep(delayMs);
  await kill(home, victims, names);
  caller.abort(new Error("the caller is gone"));
  await exchanged;
  await startAgent(home.path, home.task);
  await until(
    "the hand-over is settled",
    async () => {
      const records = [await load(home, "lead"), await load(home, "copy")];
      return records.every(({ handingOver }) => handingOver === undefined);
    },
    40_000,
  );
  const leads = (await load(home, "lead")).demoted === undefined ? pair.lead : pair.copy;
  const roles = { leader: leads, follower: leads === pair.lead ? pair.copy : pair.lead };
  await expectRoles(home, roles);
}

describeWith(supported, "a switchover that is killed", () => {
  it.each(VICTIMS.map((victims, i) => [victims.join(", "), victims, i] as const))(
    "with %s at any instant leaves one writer and every acknowledged write",
    async (_, victims, i) => {
      await using home = await makeTestHome();
      const server = supported[i % supported.length];
      // What is acknowledged is on the disk then, however slow that is.
      const wish = { persistence: "always", ...(server && { version: spellingOf(server) }) } as const;
      const pair = await makePair(home, wish);
      await using ledger = keepPairLedgers([pair.lead, pair.copy], {
        lists: ["a", "b"],
        batch: 5,
        pauseMs: 5,
      });
      const moreWrites = async () => {
        const reached = ledger.count();
        await until("users write", () => ledger.count() > reached + 50, 30_000);
      };
      for (const delayMs of DELAYS_MS) {
        await moreWrites();
        await round(home, pair, victims, delayMs);
      }
      await moreWrites();
      const leader = (await load(home, "lead")).demoted === undefined ? "lead" : "copy";
      const written = await ledger.stop();
      await withAdmin(home, leader, (admin) => expectAllWritten(admin, written));
    },
    240_000,
  );
});
