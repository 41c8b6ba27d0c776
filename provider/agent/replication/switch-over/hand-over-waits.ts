import { ADMIN_USER } from "../../../core/access";
import { Failure } from "../../../core/errors";
import type { AddonRecord } from "../../../core/facets";
import type { Task } from "../../../core/task";
import type { HomeLayout } from "../../../platforms/local/home";
import { readRecord } from "../../../platforms/local/records";
import { connectRedis } from "../../../redis/client";
import { observationFrom } from "../../../redis/observe";
import { switchOverProblem } from "../../../redis/switch-over-problem";
import { classifySync } from "../../../redis/sync-status";
import { connectServer } from "../../connections/connect-server";
import { log } from "../../log";
import type { AgentService } from "../../service";

const POLL_MS = 100;
/** A follower that was in sync is again after that long, if at all: its AOF is rewritten now and then. */
const FIT_PATIENCE_MS = 5_000;
/** A backup of a large add-on takes its time; of most it is a matter of seconds. */
const BACKUP_PATIENCE_MS = 60_000;
const FOLLOWING_PATIENCE_MS = 10_000;
const ANSWER_MS = 2_000;

interface Names {
  readonly giver: string;
  readonly receiver: string;
}

/**
 * Waits a moment until the two may exchange their roles, and returns where the giver finds its follower. Throws what
 * keeps them from it.
 */
export async function untilFit(
  service: AgentService,
  names: Names,
  task: Task,
): Promise<{ readonly host: string; readonly port: number }> {
  await untilBackedUp(service, names.giver, task);
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const seen = await lookAtBoth(service.layout, names, task);
    const problem = switchOverProblem(seen);
    if (problem === undefined) return targetOf(seen, task);
    if (!problem.transient || waitedMs >= FIT_PATIENCE_MS) throw problem;
    await task.clock.sleep(POLL_MS, task.signal);
  }
}

/** A copy that is being taken from the giver would be cut off. */
async function untilBackedUp({ backups }: AgentService, name: string, task: Task): Promise<void> {
  for (let waitedMs = 0; backups.isRunning(name); waitedMs += POLL_MS) {
    if (waitedMs === 0) task.progress({ message: `waiting for the backup of ${name} to end` });
    if (waitedMs >= BACKUP_PATIENCE_MS)
      throw new Failure({
        code: "backup-running",
        operation: "switch over from",
        subject: name,
        cause: "it is being backed up, which a switchover would cut off",
        hint: "Try again when the backup has ended",
        transient: true,
      });
    await task.clock.sleep(POLL_MS, task.signal);
  }
}

/** Waits until the old leader follows in sync. One that isn't yet goes on by itself, and its status says so. */
export async function untilFollowing(layout: HomeLayout, names: Names, task: Task): Promise<void> {
  task.progress({ message: `waiting until ${names.giver} is in sync as the follower of ${names.receiver}` });
  for (let waitedMs = 0; waitedMs < FOLLOWING_PATIENCE_MS; waitedMs += POLL_MS) {
    const { giver, receiver } = await lookAtBoth(layout, names, task);
    const sync = classifySync({ follower: giver.info, leader: receiver.info });
    if (sync.state === "synced" && sync.durable) return;
    await task.clock.sleep(POLL_MS, task.signal);
  }
  log(`${names.giver}: it is not in sync with its new leader ${names.receiver} yet`);
}

async function lookAtBoth(layout: HomeLayout, names: Names, task: Task) {
  const [giver, receiver] = await Promise.all([
    look(layout, names.giver, task),
    look(layout, names.receiver, task),
  ]);
  return { giver, receiver };
}

async function look(layout: HomeLayout, name: string, task: Task) {
  const record = await readRecord(layout, name);
  if (record === undefined) throw new Error(`the record of ${name} is gone`);
  await using server = await connectServer(record, task);
  const databases = Number((await server.config("databases")).get("databases"));
  return { name, record, databases, info: await server.info() };
}

/**
 * The giver names its followers by the address that they come from. It is the one that it will follow: so that must be
 * where the receiver listens.
 */
async function targetOf(
  { giver, receiver }: Awaited<ReturnType<typeof lookAtBoth>>,
  task: Task,
): Promise<{ readonly host: string; readonly port: number }> {
  const { port } = receiver.record.server.wish;
  const listed = observationFrom(giver.info).followers.find(
    (follower) => follower.port === port && follower.state === "online",
  );
  if (
    listed !== undefined &&
    (await isThere(receiver.record, listed.host, receiver.info.get("run_id"), task))
  )
    return { host: listed.host, port };
  const cause =
    listed === undefined
      ? `${giver.name} does not count it among its followers`
      : `${giver.name} knows it as ${listed.host}:${port}, where it does not listen`;
  throw new Failure({
    code: "follower-unreachable",
    operation: "switch over to",
    subject: receiver.name,
    cause,
    hint: "Give both the same bind",
  });
}

async function isThere(
  { server, credentials }: AddonRecord,
  host: string,
  runId: string | undefined,
  task: Task,
): Promise<boolean> {
  try {
    await using there = await connectRedis(
      {
        ...{ host, port: server.wish.port, username: ADMIN_USER, password: credentials.adminPassword },
        ...{ connectTimeoutMs: ANSWER_MS, commandTimeoutMs: ANSWER_MS },
      },
      task,
    );
    return (await there.info()).get("run_id") === runId;
  } catch {
    task.signal.throwIfAborted();
    return false;
  }
}
