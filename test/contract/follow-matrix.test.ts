import { expect, test } from "vitest";
import { canFollow } from "../../provider/core/version";
import { preflightLeader } from "../../provider/redis/preflight";
import { classifySync } from "../../provider/redis/sync-status";
import { digest } from "./backup-support";
import { make, onPath, run, spellingOf, supported } from "./agent-support";
import { makeTestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { digestOf, follow, startAddonOn, synced } from "../support/linked";
import { eventually, testTask } from "../support/local-addon";
import { matrix, serverOf } from "../support/matrix";
import { startRedisServer, until } from "../support/redis-server";
import {
  addressOf,
  debugOf,
  fillEveryType,
  ROOMY,
  startStockLeader,
  versionOf,
} from "../support/stock-leader";
import { describeWith, type Tool } from "../support/tools";

const pairs = supported.flatMap((follower) => matrix.map((leader) => ({ follower, leader })));
const can = (pair: { readonly leader: Tool; readonly follower: Tool }) =>
  canFollow(versionOf(pair.leader), versionOf(pair.follower));

for (const { follower, leader } of pairs.filter(can))
  describeWith([follower, leader], `${follower.name} that follows ${leader.name}`, () => {
    test("gets all its data and every later write, takes none of its users' and can't be promoted by them", async () => {
      await using source = await startStockLeader(leader);
      await fillEveryType(source.client, versionOf(leader));
      await using addon = await startAddonOn(follower);
      const address = addressOf(source);
      const admin = await addon.admin();
      expect((await preflightLeader(admin, address, testTask())).findings).toEqual([]);
      await follow(addon, address);
      expect(await synced(addon, address)).toMatchObject({ state: "synced", durable: true });
      expect(await digestOf(addon)).toBe(await digest(source.client));

      for (let i = 0; i < 200; i++) {
        await source.client.multi().incr("counter").rpush("list", `later ${i}`).exec();
        await source.client.eval("redis.call('HINCRBY', 'hash', 'by script', ARGV[1])", 0, i);
      }
      await source.client.xadd("stream", "*", "field", "later");
      await source.client.call("SELECT", 9);
      await source.client.set("elsewhere", "changed", "PX", 36_000_000);
      await source.client.rename("elsewhere", "moved");
      await source.client.call("SELECT", 0);
      await source.client.unlink("long");
      const truth = await digest(source.client);
      expect(
        await eventually(
          () => digestOf(addon),
          (found) => found === truth,
        ),
      ).toBe(truth);
      const functions = await functionsOf((...words) => source.client.call(...words));
      expect(await functionsOf((...words) => admin.command(...words))).toEqual(functions ?? []);

      const user = await addon.user();
      await expect(user.command("SET", "mine", "1")).rejects.toMatchObject({ code: "read-only" });
      const info = await admin.info();
      const offset = Number(info.get("slave_repl_offset")) + 1;
      const promotion = ["PSYNC", info.get("master_replid") ?? "", offset, "FAILOVER"] as const;
      await expect(user.command(...promotion)).rejects.toMatchObject({ code: "not-permitted" });
      expect((await admin.info()).get("role")).toBe("slave");
      expect((await admin.info()).get("unexpected_error_replies")).toBe("0");
    });
  });

/** What `FUNCTION LIST` tells of each library; absent where the server knows no functions. */
async function functionsOf(command: (name: string, ...args: string[]) => Promise<unknown>): Promise<unknown> {
  return command("FUNCTION", "LIST").catch(() => undefined);
}

for (const { follower, leader } of pairs.filter((pair) => !can(pair)))
  describeWith([follower, leader], `${follower.name} that should follow ${leader.name}`, () => {
    test("is refused by name before anything is touched, and rightly so", async () => {
      await using source = await startStockLeader(leader);
      await fillEveryType(source.client, versionOf(leader));
      await using addon = await startAddonOn(follower);
      await (await addon.user()).command("SET", "mine", "1");
      const admin = await addon.admin();
      const { findings, followerKeys } = await preflightLeader(admin, addressOf(source), testTask());
      const [from, to] = [spellingOf(leader), spellingOf(follower)];
      expect(findings).toEqual([
        {
          code: "snapshot-format",
          severity: "refuse",
          cause: `a server of version ${to} can't load the snapshot of a leader of version ${from}`,
          hint: `Give the add-on a version that can, such as ${from}`,
          transient: false,
        },
      ]);
      expect(followerKeys).toBe(1);
      expect((await admin.info()).get("role")).toBe("master");

      await using stock = await startRedisServer({
        executable: follower.path,
        args: [...debugOf(follower.name), "--replicaof", "127.0.0.1", String(source.port)],
      });
      await until("the snapshot to be refused", () =>
        /Failed trying to load the \w+ synchronization DB/.test(stock.log()),
      );
    });
  });

for (const leader of [serverOf("Redis 6.2"), serverOf("Redis 7.0")])
  describeWith(
    [leader, ...supported],
    `add-ons of every version, kept by an agent, that follow ${leader.name}`,
    () => {
      test("have its data, and every later write", async () => {
        await using source = await startStockLeader(leader);
        await fillEveryType(source.client, versionOf(leader));
        using _ = onPath();
        await using home = await makeTestHome();
        for (const server of supported) {
          const name = `copy-${spellingOf(server).replaceAll(".", "-")}`;
          await make(home, name, { plan: ROOMY, version: spellingOf(server), access: "advanced" });
          const { record } = await follows(home, {
            name,
            leader: { kind: "external", host: "127.0.0.1", port: source.port, password: "" },
          });
          expect(await run(record, "DBSIZE")).toBe(await source.client.dbsize());
          await source.client.set("for", server.name);
          await eventually(
            () => run(record, "GET", "for"),
            (found) => found === server.name,
          );
          await expect(run(record, "SET", "mine", "1")).rejects.toMatchObject({ code: "read-only" });
          await expect(run(record, "PSYNC", "?", "-1", "FAILOVER")).rejects.toMatchObject({
            code: "not-permitted",
          });
        }
      });
    },
  );

for (const name of ["Redis 7.2", "Redis 7.4", "Valkey 8"]) {
  const [leader, follower] = [serverOf("Valkey 9"), serverOf(name)];
  describeWith([leader, follower], `${follower.name} that follows ${leader.name}`, () => {
    test("gets a snapshot that it can load, also of a leader that writes its snapshots to its disk", async () => {
      await using source = await startStockLeader(leader, { args: ["--repl-diskless-sync", "no"] });
      await fillEveryType(source.client, versionOf(leader));
      await using addon = await startAddonOn(follower);
      await follow(addon, addressOf(source));
      await synced(addon, addressOf(source));
      expect(await digestOf(addon)).toBe(await digest(source.client));
    });

    test("tells that the two differ once the leader uses what it doesn't know", async () => {
      await using source = await startStockLeader(leader);
      await using addon = await startAddonOn(follower);
      const address = addressOf(source);
      await follow(addon, address);
      await synced(addon, address);
      const admin = await addon.admin();
      const before = Number((await admin.info()).get("unexpected_error_replies"));
      await source.client.call("HSETEX", "hash", "EX", 1000, "FIELDS", 1, "field", "value");
      const status = async () =>
        classifySync({ follower: await admin.info(), unexpectedErrorsBefore: before }).state;
      expect(await eventually(status, (state) => state === "broken")).toBe("broken");
    });
  });
}
