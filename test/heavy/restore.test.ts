import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stopAgent } from "../../provider/operations/agent";
import { layoutOf } from "../../provider/platforms/local/home";
import { onPath, spellingOf, supported, make, run } from "../contract/agent-support";
import { eventually, makeTestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { digestOf, expectNothingLeft, fill, restored, take } from "../support/restore";
import { describeWith } from "../support/tools";

let path: Disposable;
beforeAll(() => {
  path = onPath();
});
afterAll(() => {
  path[Symbol.dispose]();
});

describeWith(supported, "a restore drill", () => {
  test.each(supported.map((server) => [spellingOf(server), server] as const))(
    "on %s: taken, lost, restored, with a follower, is what it was",
    async (version, server) => {
      await using home = await makeTestHome();
      const { record } = await make(home, "cache", { version });
      await fill(record, "kept");
      const { record: copy } = await make(home, "copy", { version });
      await follows(home, { name: "copy", leader: "cache" });
      const before = await digestOf(record, server.path);
      const taken = await take(home, "cache");
      await run(record, "SET", "newer", "than the backup");
      await stopAgent(home.path, false, home.task);
      await rm(layoutOf(home.path).addon("cache").data, { recursive: true });

      await restored(home, "cache", taken, { onData: "replace" });
      expect(await digestOf(record, server.path)).toBe(before);
      await eventually(
        "its follower has the same",
        async () => (await digestOf(copy, server.path)) === before,
        60_000,
      );
      await expectNothingLeft(home, "cache");
    },
    180_000,
  );

  const versions = supported.map((server) => spellingOf(server));
  const [oldest, newest] = [supported[0], supported.at(-1)];
  test(`the oldest (${versions[0]}) is restored into the newest (${versions.at(-1)})`, async () => {
    if (oldest === undefined || newest === undefined) throw new Error("there is no matrix");
    await using home = await makeTestHome();
    const { record: old } = await make(home, "old", { version: spellingOf(oldest) });
    await fill(old, "kept");
    const taken = await take(home, "old");
    const before = await digestOf(old, oldest.path);
    const { record } = await make(home, "new", { version: spellingOf(newest) });
    await restored(home, "new", taken);
    expect(await digestOf(record, newest.path)).toBe(before);
  });
});
