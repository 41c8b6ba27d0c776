import { REPLICA_USER, type AclUser } from "../core/access";
import { Failure } from "../core/errors";
import { NOBODY, type DesiredServer, type LeaderAddress } from "../core/render";
import type { Setting } from "../core/settings";
import type { Task } from "../core/task";
import { authority } from "../core/uri";
import { failsToWrite } from "./aof-written";
import type { RedisClient } from "./client";
import { isSet, numberIn, type Info } from "./info";
import { lastLoadFailed } from "./last-load";
import { stopFollowing, waitDurable } from "./promote";
import { isWriteGuard, takeWrites, WRITE_GUARD } from "./write-guard";

/** A first AOF of a large add-on takes its time; a task's signal ends it earlier. */
const DURABLE_DEADLINE_MS = 20 * 60_000;

export interface Converged {
  /** In words for the log. */
  readonly changes: readonly string[];
  /**
   * Where it followed and leads now, since this call or an earlier one: the last byte of its leader's history that it
   * holds. Whoever asked for the promotion may come after the one that found it recorded.
   */
  readonly finalOffset?: number;
}

/**
 * Brings a running server to what is wished of it, without a restart and without closing a connection, and returns
 * what it changed. It compares first and may be repeated after a crash at any point. The client
 * must be the administrator's. A promotion, and an AOF that is turned on, return once they are durable.
 */
export async function converge(client: RedisClient, desired: DesiredServer, task: Task): Promise<Converged> {
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
  const writesAof = await refuseToLoseAof(client, desired, info);
  const changes = await convergeSettings(client, desired.settings, desired.name);
  const beginsAof = !writesAof && appendonlyIn(desired.settings) === "yes";
  if (desired.replication.kind === "follower") {
    if (await isGuarded(client)) await hangUpOnLeaders(client);
    // Users lose PSYNC before it follows anybody: with it they could promote it.
    changes.push(...(await convergeUsers(client, desired.users)));
    changes.push(...(await convergeLeader(client, desired.replication.leader ?? NOBODY)));
    changes.push(...(await liftWriteGuard(client, desired.settings)));
    if (beginsAof) await durable(client, desired.name, "change the persistence of", task);
    return { changes };
  }
  const followed = info.get("role") === "slave";
  const stopped = followed ? await stopFollowing(client, task, desired.name) : undefined;
  if (stopped !== undefined) changes.push(`stopped following at offset ${stopped.finalOffset}`);
  changes.push(...(await convergeCredentials(client, { username: "", password: "" })));
  changes.push(...(await convergeUsers(client, desired.users)));
  changes.push(...(await liftWriteGuard(client, desired.settings)));
  // Also when an earlier call stopped following, and was cut off before this or found a full disk.
  const rewriting = isSet(info, "aof_rewrite_in_progress") || isSet(info, "aof_rewrite_scheduled");
  const unwritten = offsetOfPromotion(info) !== undefined && failsToWrite(info);
  if (followed || rewriting || unwritten) await durable(client, desired.name, "promote", task);
  else if (beginsAof) await durable(client, desired.name, "change the persistence of", task);
  const finalOffset = stopped?.finalOffset ?? offsetOfPromotion(info);
  return { changes, ...(finalOffset === undefined ? {} : { finalOffset }) };
}

/** Of a leader since its promotion, until it is started anew: the last byte of its old leader's history. */
function offsetOfPromotion(info: Info): number | undefined {
  const end = numberIn(info, "second_repl_offset") ?? 0;
  return end > 0 ? end - 1 : undefined;
}

function durable(client: RedisClient, name: string, operation: string, task: Task): Promise<void> {
  return waitDurable(client, task, { name, operation, deadlineMs: DURABLE_DEADLINE_MS });
}

/** Whether the server writes an AOF now. Refuses to turn it off where it holds what the memory has lost. */
async function refuseToLoseAof(client: RedisClient, desired: DesiredServer, info: Info): Promise<boolean> {
  const writes = (await client.config("appendonly")).get("appendonly") === "yes";
  if (!writes || appendonlyIn(desired.settings) !== "no" || !(await lastLoadFailed(client, info)))
    return writes;
  throw new Failure({
    code: "load-failed",
    operation: "change the persistence of",
    subject: desired.name,
    cause: "the last load of its leader's snapshot failed, so its data are in its AOF alone",
    hint: "Restart its server instead: the data from before are still on its disk",
  });
}

function appendonlyIn(settings: readonly Setting[]): string | undefined {
  return settings.find(({ name }) => name === "appendonly")?.values[0];
}

async function convergeSettings(
  client: RedisClient,
  settings: readonly Setting[],
  subject: string,
): Promise<string[]> {
  const current = await client.config(...settings.map(({ name }) => name));
  const changes: string[] = [];
  for (const { name, values } of settings) {
    const wanted = values.join(" ");
    const found = current.get(name);
    // Valkey 9 takes sanitize-dump-payload in its file for old times' sake and knows nothing of it otherwise.
    if (found === undefined || found === wanted) continue;
    // Lifted once it is what it shall be: a server that is to follow again must not take a write before it does.
    if (name === WRITE_GUARD && isWriteGuard(found)) continue;
    await client.command("CONFIG", "SET", name, wanted).catch((error: unknown) => {
      throw refusedSetting(error, name, wanted, subject);
    });
    changes.push(`${name} from ${found} to ${wanted}`);
  }
  return changes;
}

/** A switchover has left it there, that was cut off or has not come to its end. */
async function liftWriteGuard(client: RedisClient, settings: readonly Setting[]): Promise<string[]> {
  const wished = settings.find(({ name }) => name === WRITE_GUARD);
  if (wished === undefined || !(await isGuarded(client))) return [];
  await takeWrites(client, wished.values.join(" "));
  return ["its writes are no longer held up for a switchover"];
}

async function isGuarded(client: RedisClient): Promise<boolean> {
  return isWriteGuard((await client.config(WRITE_GUARD)).get(WRITE_GUARD));
}

/** A leader whose failover was aborted may have asked already, and this server, held up, would still say yes. */
async function hangUpOnLeaders(client: RedisClient): Promise<void> {
  await client.command("CLIENT", "KILL", "USER", REPLICA_USER);
}

/** A server that refuses a setting while it runs would not start with it either. */
function refusedSetting(error: unknown, name: string, value: string, subject: string): unknown {
  if (!(error instanceof Failure) || error.code !== "redis-error") return error;
  return new Failure({
    code: "setting-refused",
    operation: "change the settings of",
    subject,
    cause: `${name} can't be ${JSON.stringify(value)}: ${error.cause}`,
  });
}

/**
 * What a leader needs to follow another one at once, as by FAILOVER: users lose what they may do on leaders alone before
 * the server is told a password that CONFIG GET would show them. Converging it as a leader takes both back.
 */
export async function prepareToBeLed(
  client: RedisClient,
  users: readonly AclUser[],
  leader: LeaderAddress,
): Promise<void> {
  await convergeUsers(client, users);
  await convergeCredentials(client, leader);
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
