import { expect, it } from "vitest";
import { refuseWrites } from "../../provider/agent/replication/change/refuse-writes";
import { connectRedis, type RedisClient } from "../../provider/redis/client";
import { testTask } from "../support/local-addon";
import { startRedisServer } from "../support/redis-server";
import { describeWith } from "../support/tools";
import { supported } from "./agent-support";

const LIBRARY =
  "#!lua name=mine\nredis.register_function('f', function(keys) return redis.call('SET', keys[1], 1) end)";

/** Every command that writes, by name, with whether users' rights reach it as such; containers by their parts. */
function writing(answer: unknown): readonly { readonly name: string; readonly reached: boolean }[] {
  return (answer as [string, number, string[], number, number, number, string[], ...unknown[]][]).flatMap(
    (command) => {
      const [name, , flags, , , , categories] = command;
      const own = flags.includes("write") ? [{ name, reached: categories.includes("@write") }] : [];
      return [...own, ...writing(command[9] ?? [])];
    },
  );
}

for (const version of supported)
  describeWith([version], version.name, () => {
    it("takes every way to write from users, lets them read, and tells whether that held", async () => {
      await using server = await startRedisServer({ executable: version.path, args: ["--save", ""] });
      const { host, port } = server;
      await using admin = await connectRedis({ host, port, password: "" }, testTask());
      await admin.command("ACL", "SETUSER", "root", "on", ">root", "~*", "&*", "+@all");
      await using root = await connectRedis({ host, port, username: "root", password: "root" }, testTask());
      await using user = await connectRedis({ host, port, password: "" }, testTask());
      await user.command("SET", "k", "v");
      await user.command("FUNCTION", "LOAD", LIBRARY);
      await using inTransaction = await connectRedis({ host, port, password: "" }, testTask());
      await inTransaction.command("MULTI");
      await inTransaction.command("SET", "k", "queued");

      const writes = await refuseWrites(root);
      const refused = async (client: RedisClient, ...command: [string, ...(string | number)[]]) =>
        expect(client.command(...command), command.join(" ")).rejects.toThrow();
      await refused(user, "SET", "k", "v2");
      await refused(user, "EVAL", "return redis.call('SET', 'k', 'v3')", 0);
      await refused(user, "FCALL", "f", 1, "k");
      await refused(user, "FUNCTION", "FLUSH");
      await refused(user, "FLUSHALL");
      await refused(user, "RESTORE", "k2", 0, "x");
      // Each command of a transaction is answered by itself.
      expect(String(await inTransaction.command("EXEC"))).toMatch(/NOPERM/);
      expect(await user.command("GET", "k")).toBe("v");
      expect(await user.command("EVAL", "return redis.call('GET', 'k')", 0)).toBe("v");
      const commands = writing(await root.command("COMMAND"));
      expect(commands.length).toBeGreaterThan(80);
      expect(commands.filter(({ reached }) => !reached)).toEqual([]);

      await writes.standStill();
      expect((await root.info()).get("role")).toBe("slave");
      expect(await user.command("GET", "k")).toBe("v");
    });

    it("doesn't stand still unnoticed after users had their rights back", async () => {
      await using server = await startRedisServer({ executable: version.path, args: ["--save", ""] });
      const { host, port } = server;
      await using admin = await connectRedis({ host, port, password: "" }, testTask());
      await admin.command("ACL", "SETUSER", "root", "on", ">root", "~*", "&*", "+@all");
      await using root = await connectRedis({ host, port, username: "root", password: "root" }, testTask());
      const writes = await refuseWrites(root);
      await root.command("ACL", "SETUSER", "default", "reset", "on", "nopass", "~*", "&*", "+@all");
      await expect(writes.standStill()).rejects.toMatchObject({ code: "written-meanwhile", transient: true });
    });
  });
