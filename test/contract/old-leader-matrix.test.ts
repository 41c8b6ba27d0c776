import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CAPTURE_USER, REPLICA_USER } from "../../provider/core/access";
import { continuation } from "../../provider/core/data-position";
import { desiredServer, renderServer } from "../../provider/core/render";
import { dataOnDisk } from "../../provider/agent/replication/lineage/data-on-disk";
import { positionOf } from "../../provider/agent/replication/lineage/mark-data";
import { layoutOf } from "../../provider/platforms/local/home";
import { isDurable } from "../../provider/redis/sync-status";
import { converge } from "../../provider/redis/converge";
import { observeServer } from "../../provider/redis/observe";
import { spellingOf, supported } from "./agent-support";
import { follow, synced } from "../support/linked";
import { eventually, startAddon, testRecord, testTask, type LocalAddon } from "../support/local-addon";
import { describeWith } from "../support/tools";

/** Starts it again as it is rendered where nobody may copy it, with nothing of what it had. */
async function comeBackEmpty({ server, record }: LocalAddon): Promise<void> {
  await server.kill("SIGKILL");
  await rm(join(server.dir, "appendonlydir"), { recursive: true });
  const aclFile = join(server.dir, "users.acl");
  await server.start(
    renderServer({ record, leader: undefined, copying: "refused", dataDir: server.dir, aclFile }),
  );
}

for (const server of supported)
  describeWith([server], server.name, () => {
    test("a follower keeps its data while its leader refuses copies, tries again, and is a copy once it may", async () => {
      const record = testRecord({ version: spellingOf(server) });
      await using leader = await startAddon(record, undefined, { executable: server.path });
      await using follower = await startAddon(record, undefined, { executable: server.path });
      await follow(follower, leader.address);
      await synced(follower, leader.address);
      const there = await leader.user();
      for (let i = 0; i < 50; i++) await there.command("SET", `key:${i}`, i);
      const here = await follower.user();
      const keys = () => here.command("DBSIZE");
      await eventually(keys, (count) => count === 50);

      await comeBackEmpty(leader);
      const refusals = () =>
        follower.server
          .log()
          .split("\n")
          .filter((line) => line.includes("NOPERM"));
      // Each try is refused several times: its port, what it can do, PSYNC and SYNC.
      await eventually(
        () => Promise.resolve(refusals().filter((line) => /sync/i.test(line)).length),
        (count) => count >= 4,
        30_000,
      );
      expect(await keys()).toBe(50);
      const again = await leader.user();
      await again.command("SET", "only", "here");
      for (const [name, password] of [
        ["default", leader.record.credentials.password],
        [REPLICA_USER, leader.record.credentials.replicaPassword],
      ] as const) {
        const client = await leader.connect(name, password);
        for (const command of ["PSYNC ? -1", "SYNC", "REPLCONF capa eof"])
          await expect(client.command(...words(command))).rejects.toMatchObject({ code: "not-permitted" });
      }
      const capture = await leader.connect(CAPTURE_USER, leader.record.credentials.replicaPassword);
      expect(await capture.command("REPLCONF", "rdb-only", "1")).toBe("OK");
      expect((await observeServer(await leader.admin())).followers).toEqual([]);

      await converge(await leader.admin(), desiredServer(leader.record, undefined), testTask());
      await synced(follower, leader.address);
      expect(await here.command("GET", "only")).toBe("here");
      expect(await keys()).toBe(1);
    });
  });

for (const server of supported)
  describeWith([server], server.name, () => {
    test("where its data lie is found to go on, whatever is appended and rewritten, and after a restart", async () => {
      const record = testRecord({ version: spellingOf(server) });
      await using addon = await startAddon(record, undefined, { executable: server.path });
      const folder = addon.server.dir;
      const files = { ...layoutOf(folder).addon("cache"), root: folder, data: folder };
      let seen = positionOf(await dataOnDisk(files, undefined));
      const goesOn = async () => {
        if (seen === undefined) throw new Error("nothing was found");
        const found = await dataOnDisk(files, seen);
        const verdict = continuation(seen, 0, found);
        seen = positionOf(found);
        return verdict;
      };
      expect(seen).toMatchObject({ aof: { base: { seq: 1 }, incr: { seq: 1, sizeBytes: 0 } } });
      const client = await addon.user();
      await client.command("SET", "a", "1");
      expect(await goesOn()).toBe("proved");
      await client.command("SET", "b", "2");
      expect(await goesOn()).toBe("proved");
      const admin = await addon.admin();
      await admin.command("BGREWRITEAOF");
      await eventually(
        async () => isDurable(await admin.info()),
        (isDone) => isDone,
      );
      expect(await goesOn()).toBe("likely");
      expect(seen).toMatchObject({ aof: { base: { seq: 2 }, incr: { seq: 2 } } });
      for (const signal of ["SIGKILL", "SIGTERM"] as const) {
        await addon.server.kill(signal);
        await addon.server.start();
        expect(await goesOn()).toBe("proved");
      }
    });
  });

function words(command: string): [string, ...string[]] {
  const [name = "", ...rest] = command.split(" ");
  return [name, ...rest];
}
