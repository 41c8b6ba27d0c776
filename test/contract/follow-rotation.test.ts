import { describe, expect, test } from "vitest";
import type { LeaderAddress } from "../../provider/core/render";
import { parseInfo } from "../../provider/redis/info";
import { make, run } from "./agent-support";
import { makeTestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { follow, synced } from "../support/linked";
import { eventually, startAddon, testRecord } from "../support/local-addon";
import { serverOf } from "../support/matrix";
import type { RedisServer } from "../support/redis-server";
import { ROOMY, startStockLeader } from "../support/stock-leader";
import { describeWith } from "../support/tools";

/** The connection by which it is followed, and how often it began anew. */
async function linkOf(source: RedisServer) {
  const clients = String(await source.client.call("CLIENT", "LIST", "TYPE", "replica"));
  const stats = parseInfo(await source.client.info("stats"));
  return {
    ids: [...clients.matchAll(/^id=(\d+) /gm)].map(([, id]) => id),
    full: stats.get("sync_full"),
    partial: stats.get("sync_partial_ok"),
  };
}

interface Rotation {
  readonly title: string;
  readonly username?: string;
  /** Before anybody follows. */
  readonly begin: (source: RedisServer) => Promise<void>;
  /** From the old password to the new. */
  readonly rotate: (source: RedisServer) => Promise<void>;
  /** Once the follower has the new one. */
  readonly retire: (source: RedisServer) => Promise<void>;
}

const acl = (source: RedisServer, ...rules: string[]) => source.client.call("ACL", "SETUSER", ...rules);

const ROTATIONS: readonly Rotation[] = [
  {
    title: "of the default user (requirepass)",
    begin: async (source) => {
      await acl(source, "tester", "on", "nopass", "~*", "&*", "+@all");
      await source.client.call("AUTH", "tester", "any");
      await source.client.config("SET", "requirepass", "old-pw");
    },
    rotate: async (source) => void (await source.client.config("SET", "requirepass", "new-pw")),
    retire: async () => undefined,
  },
  {
    title: "of a user that has both for a while",
    username: "copier",
    begin: async (source) => {
      const rights = ["+psync", "+sync", "+replconf", "+ping", "+info"];
      await acl(source, "copier", "on", ">old-pw", ...rights);
    },
    rotate: async (source) => void (await acl(source, "copier", ">new-pw")),
    retire: async (source) => void (await acl(source, "copier", "<old-pw")),
  },
];

const leaders = [serverOf("Redis 6.2"), serverOf("Redis 7.0")];

for (const leader of leaders)
  describeWith([leader], `a new password of a leader on ${leader.name}`, () => {
    describe.each(ROTATIONS)("$title", ({ username, begin, rotate, retire }) => {
      const addressOf = ({ port }: RedisServer, password: string): LeaderAddress => ({
        host: "127.0.0.1",
        port,
        username,
        password,
      });

      test("arrives without a lost link, and the next link goes on where this one ends", async () => {
        await using source = await startStockLeader(leader);
        await begin(source);
        await using addon = await startAddon(testRecord({ plan: ROOMY }));
        await follow(addon, addressOf(source, "old-pw"));
        await synced(addon, addressOf(source, "old-pw"));
        const before = await linkOf(source);
        expect(before.ids).toHaveLength(1);

        await rotate(source);
        await follow(addon, addressOf(source, "new-pw"));
        expect(await synced(addon, addressOf(source, "new-pw"))).toMatchObject({ state: "synced" });
        await retire(source);
        expect(await linkOf(source)).toEqual(before);

        await source.client.call("CLIENT", "KILL", "TYPE", "replica");
        const after = await eventually(
          () => linkOf(source),
          ({ ids }) => ids.length === 1 && ids[0] !== before.ids[0],
        );
        expect(after).toMatchObject({ full: before.full, partial: String(Number(before.partial) + 1) });
      });

      test("arrives at an add-on that an agent keeps, and is what it reconnects by", async () => {
        await using source = await startStockLeader(leader);
        await begin(source);
        await using home = await makeTestHome();
        await make(home, "copy", { plan: ROOMY });
        const wish = (password: string) =>
          ({ kind: "external", host: "127.0.0.1", port: source.port, username, password }) as const;
        await follows(home, { name: "copy", leader: wish("old-pw") });
        const before = await linkOf(source);
        await rotate(source);
        const { record } = await follows(home, { name: "copy", leader: wish("new-pw") });
        await retire(source);
        expect(await linkOf(source)).toEqual(before);
        await source.client.set("later", "1");
        await source.client.call("CLIENT", "KILL", "TYPE", "replica");
        await source.client.set("after", "1");
        await eventually(
          () => run(record, "EXISTS", "later", "after"),
          (found) => found === 2,
          30_000,
        );
        expect((await linkOf(source)).full).toBe(before.full);
      });
    });
  });
