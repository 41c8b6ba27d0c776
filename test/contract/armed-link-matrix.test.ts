import { expect, it } from "vitest";
import { armedCredentials } from "../../provider/agent/replication/guard/armed-link";
import { describeMatrix } from "../support/matrix";
import { type RedisServer, startRedisServer, until } from "../support/redis-server";

async function fieldOf(client: RedisServer["client"], field: string): Promise<string | undefined> {
  return new RegExp(`^${field}:(.*)\r$`, "m").exec(await client.info())?.[1];
}

function logIn(follower: RedisServer, username: string, password: string): Promise<unknown> {
  return follower.client.call("CONFIG", "SET", "masteruser", username, "masterauth", password);
}

// What leaders elsewhere do with credentials that can't work is all that guards their followers.
describeMatrix((leading) => {
  // Add-ons run on 7.0 and newer.
  const following = leading.name.startsWith("Redis 6") ? {} : { executable: leading.path };

  it.each(["s3cret", ""])(
    "a link lives on when its credentials stop working, and a lost one waits (password %j)",
    async (password) => {
      const asked = password === "" ? [] : ["--requirepass", password];
      await using leader = await startRedisServer({ executable: leading.path, args: asked });
      await using follower = await startRedisServer(following);
      const there = leader.connect({ password });
      const linked = async () => (await fieldOf(follower.client, "master_link_status")) === "up";
      await there.set("before", "1");
      await logIn(follower, "", password);
      await follower.client.replicaof("127.0.0.1", leader.port);
      await until("they are linked", linked);

      const { username = "", password: unknown } = armedCredentials({ password: "nobody's" });
      await logIn(follower, username, unknown);
      await there.set("live", "1");
      await until("what is written arrives", async () => (await follower.client.get("live")) === "1");

      const snapshots = await fieldOf(there, "sync_full");
      await there.call("CLIENT", "KILL", "TYPE", "replica");
      await until("it was turned away", () => follower.log().includes("Unable to AUTH to"));
      expect(await linked()).toBe(false);
      await there.set("meanwhile", "1");
      await logIn(follower, "", password);
      await until("it is back", async () => (await follower.client.get("meanwhile")) === "1");
      expect(await fieldOf(there, "sync_full")).toBe(snapshots);
    },
  );
});
