import { expect, test } from "vitest";
import { endProcess } from "../../provider/agent/server/end-process";
import { observeServer } from "../../provider/redis/observe";
import { systemClock } from "../../provider/system/clock";
import { identify, isAlive } from "../../provider/system/processes";
import { spellingOf, supported } from "./agent-support";
import { follow } from "../support/linked";
import { eventually, startAddon, testRecord } from "../support/local-addon";
import { describeWith } from "../support/tools";

/** Valkey 9 has the leader's snapshot for its first AOF, and nothing to write. */
for (const server of supported.filter(({ name }) => !name.startsWith("Valkey 9")))
  describeWith([server], server.name, () => {
    test("a follower that is writing its first AOF is ended as soon as that is written, with all it has", async () => {
      const record = testRecord({ version: spellingOf(server) });
      await using leader = await startAddon(record, undefined, { executable: server.path });
      await using follower = await startAddon(record, undefined, { executable: server.path });
      const there = await leader.user();
      for (let i = 0; i < 500; i++) await there.command("SET", `key:${i}`, i);
      const admin = await follower.admin();
      // Two seconds for all of them.
      await admin.command("CONFIG", "SET", "rdb-key-save-delay", 4_000);
      const following = await follow(follower, leader.address);
      const { processId = 0 } = await observeServer(admin);
      const process = await identify(processId);
      if (process === undefined) throw new Error("it has ended");
      await eventually(
        async () => (await observeServer(admin)).persistence.aofRewriteInProgress,
        (isWriting) => isWriting,
      );
      await endProcess("copy", process, "server.log", systemClock);
      expect(await isAlive(process)).toBe(false);
      expect(follower.server.log()).toContain("can't exit");
      await leader.server.kill("SIGKILL");
      await follower.restart(following, leader.address);
      expect(await (await follower.user()).command("DBSIZE")).toBe(500);
    });
  });
