import { describe, expect, test } from "vitest";
import type { LeaderAddress } from "../../provider/core/render";
import { preflightLeader } from "../../provider/redis/preflight";
import { waitSynced } from "../../provider/redis/wait-synced";
import { digest } from "./backup-support";
import { digestOf, follow, synced } from "../support/linked";
import { eventually, startAddon, testRecord, testTask, type LocalAddon } from "../support/local-addon";
import { serverOf } from "../support/matrix";
import type { RedisServer } from "../support/redis-server";
import { DEBUG_LINES, fillEveryType, ROOMY, startStockLeader, versionOf } from "../support/stock-leader";
import { describeWith, type Tool } from "../support/tools";
import { spellingOf } from "./agent-support";

const PASSWORD = "s3cret-of-the-leader";
const REPLICATION = ["+psync", "+sync", "+replconf"];

/** What a leader grants, and what a preflight finds beyond that it can be followed. */
const GRANTS = [
  { rights: REPLICATION, findings: ["warn leader-unknown"], knows: "nothing" },
  { rights: [...REPLICATION, "+ping"], findings: ["warn leader-unknown"], knows: "nothing" },
  { rights: [...REPLICATION, "+ping", "+info"], findings: [], knows: "the databases in use" },
  {
    rights: [...REPLICATION, "+ping", "+info", "+config|get"],
    findings: ["refuse too-few-databases"],
    knows: "all its databases",
  },
] as const;

/** Without a name it is the default user, who has no other rights then either. */
const USERS = [
  { title: "a user of its own", username: "copier" },
  { title: "no user name", username: undefined },
] as const;

/** Of each family one: their refusals are worded differently. On the newest that can follow them. */
const LEADERS = ["Redis 6.2", "Redis 7.0", "Redis 7.4", "Valkey 9"].map((name) => ({
  leader: serverOf(name),
  follower: serverOf(name === "Redis 7.4" ? "Redis 7.4" : "Valkey 9"),
}));

interface Restricted extends AsyncDisposable {
  readonly source: RedisServer;
  readonly address: LeaderAddress;
}

/** A leader with data, which lets the given user do no more than what is granted. */
async function restricted(
  tool: Tool,
  username: string | undefined,
  rights: readonly string[],
): Promise<Restricted> {
  const source = await startStockLeader(tool);
  await fillEveryType(source.client, versionOf(tool));
  // The connection that the test itself uses has its rights from another user.
  await source.client.call("ACL", "SETUSER", "tester", "on", "nopass", "~*", "&*", "+@all");
  await source.client.call("AUTH", "tester", "any");
  const rules = ["reset", "on", `>${PASSWORD}`, ...rights];
  await source.client.call("ACL", "SETUSER", username ?? "default", ...rules);
  return {
    source,
    address: { host: "127.0.0.1", port: source.port, username, password: PASSWORD },
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}

function startFollower(server: Tool, databases = 10): Promise<LocalAddon> {
  const record = testRecord({ version: spellingOf(server), plan: { ...ROOMY, databases } });
  return startAddon(record, undefined, { executable: server.path, lines: DEBUG_LINES });
}

for (const { leader, follower } of LEADERS)
  describeWith([leader, follower], `${leader.name}, followed by ${follower.name}`, () => {
    describe.each(USERS)("with $title", ({ username }) => {
      test.each(GRANTS)("that may $rights is followed, and $knows is known of it", async (grant) => {
        await using granted = await restricted(leader, username, grant.rights);
        const { source, address } = granted;
        await using addon = await startFollower(follower);
        const { findings } = await preflightLeader(await addon.admin(), address, testTask());
        expect(findings.map(({ code, severity }) => `${severity} ${code}`)).toEqual(grant.findings);
        expect(JSON.stringify(findings)).not.toContain(PASSWORD);

        // It has ten databases and the leader sixteen, of which it uses the tenth: following works all the same.
        const said: string[] = [];
        await follow(addon, address);
        const task = testTask(({ message }) => said.push(message));
        await waitSynced(await addon.admin(), address, task, { deadlineMs: 40_000, name: "copy" });
        expect(said.join("\n")).not.toContain(PASSWORD);
        expect(await digestOf(addon)).toBe(await digest(source.client));
        await source.client.set("later", "1");
        const truth = await digest(source.client);
        await eventually(
          () => digestOf(addon),
          (found) => found === truth,
        );
      });

      // Redis itself would follow with less: without PSYNC each lost link costs a whole snapshot, and without REPLCONF
      // the leader's refusals end up in the stream of its data.
      test.each([
        ["psync", ["+sync", "+replconf", "+ping", "+info"]],
        ["replconf", ["+psync", "+sync", "+ping", "+info"]],
        ["anything of it", ["+@read", "+ping", "+info"]],
      ])("that may not %s is refused by name, and without the password", async (_, rights) => {
        await using granted = await restricted(leader, username, rights);
        await using addon = await startFollower(follower);
        const { findings } = await preflightLeader(await addon.admin(), granted.address, testTask());
        expect(findings).toMatchObject([
          {
            code: "leader-refuses-psync",
            severity: "refuse",
            hint: expect.stringContaining("+psync +sync +replconf") as unknown,
          },
        ]);
        expect(JSON.stringify(findings)).not.toContain(PASSWORD);
      });

      test("that lost its rights after the preflight is refused by name, at once and without the password", async () => {
        await using granted = await restricted(leader, username, ["+@read", "+ping", "+info"]);
        const { address } = granted;
        await using addon = await startFollower(follower);
        await follow(addon, address);
        const failure: unknown = await synced(addon, address).catch((error: unknown) => error);
        expect(failure).toMatchObject({ code: "leader-refuses-psync", operation: "follow" });
        expect(JSON.stringify([failure, String(failure)])).not.toContain(PASSWORD);
      });

      test("and a wrong password is refused by name, at once and without either password", async () => {
        await using granted = await restricted(leader, username, REPLICATION);
        const address = { ...granted.address, password: "wrong-s3cret" };
        await using addon = await startFollower(follower);
        const { findings } = await preflightLeader(await addon.admin(), address, testTask());
        expect(findings).toMatchObject([{ code: "wrong-password", severity: "refuse" }]);
        await follow(addon, address);
        const failure: unknown = await synced(addon, address).catch((error: unknown) => error);
        expect(failure).toMatchObject({ code: "wrong-password" });
        expect(JSON.stringify([failure, String(failure), findings])).not.toMatch(/s3cret/);
      });
    });
  });
