import type { AclUser } from "../core/access";
import { Failure } from "../core/errors";
import { NOBODY, type DesiredServer, type LeaderAddress } from "../core/render";
import type { Setting } from "../core/settings";
import type { Task } from "../core/task";
import { authority } from "../core/uri";
import type { RedisClient } from "./client";
import { isSet, numberIn } from "./info";
import { stopFollowing, waitDurable } from "./promote";

/** A first AOF of a large add-on takes its time; a task's signal ends it earlier. */
const DURABLE_DEADLINE_MS = 20 * 60_000;

/**
 * Brings a running server to what is wished of it, without a restart and without closing a connection, and returns
 * what it changed, in words for the log. It compares first and may be repeated after a crash at any point. The client
 * must be the administrator's. A promotion returns once it is durable.
 */
export async function converge(
  client: RedisClient,
  desired: DesiredServer,
  task: Task,
): Promise<readonly string[]> {
  const info = await client.info();
  if (isSet(info, "loading"))
    throw new Failure({
      code: "loading",
      operation: "change",
      subject: desired.name,
      cause: "its server is still loading its data",
      hint: "Try again when it has finished",
      transient: true,
    });
  const changes = await convergeSettings(client, desired.settings);
  if (desired.replication.kind === "follower") {
    // Users lose PSYNC before it follows anybody: with it they could promote it.
    changes.push(...(await convergeUsers(client, desired.users)));
    changes.push(...(await convergeLeader(client, desired.replication.leader ?? NOBODY)));
    return changes;
  }
  const followed = info.get("role") === "slave";
  if (followed) {
    const { finalOffset } = await stopFollowing(client, task, desired.name);
    changes.push(`stopped following at offset ${finalOffset}`);
  }
  changes.push(...(await convergeCredentials(client, { username: "", password: "" })));
  changes.push(...(await convergeUsers(client, desired.users)));
  // Also when an earlier call stopped following and was cut off before this.
  const rewriting = isSet(info, "aof_rewrite_in_progress") || isSet(info, "aof_rewrite_scheduled");
  if (followed || rewriting)
    await waitDurable(client, task, {
      name: desired.name,
      operation: "promote",
      deadlineMs: DURABLE_DEADLINE_MS,
    });
  return changes;
}

async function convergeSettings(client: RedisClient, settings: readonly Setting[]): Promise<string[]> {
  const current = await client.config(...settings.map(({ name }) => name));
  const changes: string[] = [];
  for (const { name, values } of settings) {
    const wanted = values.join(" ");
    const found = current.get(name);
    // Valkey 9 takes sanitize-dump-payload in its file for old times' sake and knows nothing of it otherwise.
    if (found === undefined || found === wanted) continue;
    await client.command("CONFIG", "SET", name, wanted);
    changes.push(`${name} from ${found} to ${wanted}`);
  }
  return changes;
}

/** SETUSER is one atomic step, so no session ever sees the `reset` that makes the rules complete. */
async function convergeUsers(client: RedisClient, users: readonly AclUser[]): Promise<string[]> {
  const changes: string[] = [];
  for (const { name, rules } of users) {
    // Servers spell rules in their own ways, so before and after are compared rather than found and wished.
    const before = await describeUser(client, name);
    await client.command("ACL", "SETUSER", name, "reset", ...rules);
    if ((await describeUser(client, name)) !== before) changes.push(`rights or password of the user ${name}`);
  }
  return changes;
}

async function describeUser(client: RedisClient, name: string): Promise<string> {
  return JSON.stringify(await client.command("ACL", "GETUSER", name));
}

async function convergeLeader(client: RedisClient, leader: LeaderAddress): Promise<string[]> {
  // First, so that a link is never tried with the credentials of another leader.
  const changes = await convergeCredentials(client, leader);
  const info = await client.info();
  if (info.get("master_host") === leader.host && numberIn(info, "master_port") === leader.port)
    return changes;
  await client.command("REPLICAOF", leader.host, leader.port);
  changes.push(`follows ${authority(leader.host, leader.port)}`);
  return changes;
}

/** Both in one step: a link that is up stays up, one that is tried in between sees no half. */
async function convergeCredentials(
  client: RedisClient,
  { username = "", password }: Pick<LeaderAddress, "username" | "password">,
): Promise<string[]> {
  const current = await client.config("masteruser", "masterauth");
  if ((current.get("masteruser") ?? "") === username && (current.get("masterauth") ?? "") === password)
    return [];
  await client.command("CONFIG", "SET", "masteruser", username, "masterauth", password);
  return ["the credentials for its leader"];
}
