import { Failure } from "../core/errors";
import { NOBODY } from "../core/render";
import type { Task } from "../core/task";
import { aofMark, failsToWrite, hasReached, type AofMark } from "./aof-written";
import type { RedisClient } from "./client";
import { lastLoadFailed } from "./last-load";
import { isSet, numberIn, type Info } from "./info";
import { isDurable } from "./sync-status";

const POLL_MS = 50;
/** For what has arrived to be applied: a matter of milliseconds, unless the last command was cut short. */
const APPLY_DEADLINE_MS = 10_000;
/** A disk that was full for so long wants somebody to look at it. */
const FAILING_DEADLINE_MS = 30_000;
/** An AOF that could not be written anew is tried again so often. */
const REWRITE_EVERY_MS = 5_000;

interface Promotion {
  /** The last byte of its leader's history that it holds. */
  readonly finalOffset: number;
}

/**
 * The first half of a promotion: everything received is applied, then REPLICAOF NO ONE. Already a leader: nothing.
 * Refused (`loading`, `load-failed`) where it would destroy data. The server is a leader afterwards, but a restart
 * may still bring old data back: `waitDurable`.
 */
export async function stopFollowing(
  client: RedisClient,
  task: Task,
  name = client.subject,
): Promise<Promotion> {
  const before = await applied(client, task, name);
  if (before.get("role") !== "slave") return { finalOffset: numberIn(before, "master_repl_offset") ?? 0 };
  // From here on no snapshot begins to be loaded, so that what is looked at is still so at the next command.
  await client.command("REPLICAOF", NOBODY.host, NOBODY.port);
  await refuseIfLosing(client, await client.info(), name);
  await client.command("REPLICAOF", "NO", "ONE");
  const after = await client.info();
  // The old history is valid up to here; the new one may have moved on already.
  const end = numberIn(after, "second_repl_offset");
  return {
    finalOffset: end !== undefined && end > 0 ? end - 1 : (numberIn(after, "master_repl_offset") ?? 0),
  };
}

/**
 * Waits until all that a server had when it was asked would survive a kill -9. `not-durable` where that takes longer
 * than the deadline, or where its disk takes nothing for half a minute.
 */
export async function waitDurable(
  client: RedisClient,
  task: Task,
  options: { name?: string; operation: string; deadlineMs: number },
): Promise<void> {
  const { name = client.subject, operation, deadlineMs } = options;
  const startedAt = task.clock.now();
  let mark: AofMark | undefined;
  let failingSince: number | undefined;
  let rewrittenAt = startedAt;
  let said = false;
  for (;;) {
    task.signal.throwIfAborted();
    const info = await client.info();
    const now = task.clock.now();
    if (isDurable(info)) {
      if (mark === undefined || hasReached(info, mark) === undefined) mark = aofMark(info);
      if (hasReached(info, mark) === true) return;
    }
    if (!said) task.progress({ message: "writing the data to disk" });
    said = true;
    failingSince = failsToWrite(info) ? (failingSince ?? now) : undefined;
    const fails = failingSince !== undefined && now - failingSince >= FAILING_DEADLINE_MS;
    if (fails || now - startedAt >= deadlineMs)
      throw new Failure({
        code: "not-durable",
        operation,
        subject: name,
        cause: failsToWrite(info)
          ? "its data can't be written to disk"
          : "its data are not completely on disk yet",
        hint: "Look for a full disk in the server's log; a restart before that would bring older data back",
        transient: true,
      });
    if (isStuck(info) && now - rewrittenAt >= REWRITE_EVERY_MS) {
      rewrittenAt = now;
      await beginRewrite(client);
    }
    await task.clock.sleep(POLL_MS, task.signal);
  }
}

/** The AOF could not be written anew. Redis tries again by itself, but hours later where it failed a few times. */
function isStuck(info: Info): boolean {
  const failed = info.get("aof_last_bgrewrite_status") !== "ok";
  return isSet(info, "aof_enabled") && failed && !isSet(info, "aof_rewrite_in_progress");
}

async function beginRewrite(client: RedisClient): Promise<void> {
  try {
    await client.command("BGREWRITEAOF");
  } catch (error) {
    // Another one has begun meanwhile, or none can: how it ends is what INFO tells.
    if (!(error instanceof Failure) || error.code !== "redis-error") throw error;
  }
}

/** Waits until all that had arrived when it was asked is applied; under load there is always something on its way. */
async function applied(client: RedisClient, task: Task, name: string): Promise<Info> {
  const startedAt = task.clock.now();
  let received: number | undefined;
  for (;;) {
    task.signal.throwIfAborted();
    const info = await client.info();
    if (info.get("role") !== "slave") return info;
    await refuseIfLosing(client, info, name);
    const has = numberIn(info, "slave_repl_offset") ?? 0;
    received ??= numberIn(info, "slave_read_repl_offset") ?? has;
    // Whoever may pause its clients (CLIENT PAUSE) pauses its leader's commands as well.
    if (has < received) await client.command("CLIENT", "UNPAUSE");
    // A command that was cut short stays unapplied for ever: it was never acknowledged as a whole.
    if (has >= received || task.clock.now() - startedAt >= APPLY_DEADLINE_MS) return info;
    await task.clock.sleep(POLL_MS, task.signal);
  }
}

/**
 * Refuses a promotion while a snapshot is received: who asks for one wants the leader's data, and these aren't here yet.
 * Who only wants it to follow no longer keeps what it had before: `stopFollowing`.
 */
export async function refuseWhileSyncing(client: RedisClient, name: string): Promise<void> {
  const info = await client.info();
  if (info.get("role") !== "slave") return;
  await refuseIfLosing(client, info, name);
  if (!isSet(info, "master_sync_in_progress")) return;
  throw new Failure({
    code: "syncing",
    operation: "promote",
    subject: name,
    cause: "its leader's snapshot is on its way, and it would be a leader with its data from before",
    hint: "Try again when it is in sync; or remove its RedisFollower, to keep its data from before",
    transient: true,
  });
}

async function refuseIfLosing(client: RedisClient, info: Info, name: string): Promise<void> {
  if (isSet(info, "loading"))
    throw new Failure({
      code: "loading",
      operation: "promote",
      subject: name,
      cause: "it is loading data, and would be a leader of a part of them",
      hint: "Try again when it has finished",
      transient: true,
    });
  if (!(await lastLoadFailed(client, info))) return;
  throw new Failure({
    code: "load-failed",
    operation: "promote",
    subject: name,
    cause: "the last load of its leader's snapshot failed, so its memory is empty",
    hint: "Restart its server instead: the data from before are still on its disk",
  });
}
