import { Failure } from "../core/errors";
import type { LeaderAddress } from "../core/render";
import type { SyncStatus } from "../core/status";
import type { Progress, Task } from "../core/task";
import type { RedisClient } from "./client";
import { numberIn, type Info } from "./info";
import { lastLoadFailed } from "./last-load";
import { probeLeader } from "./leader-probe";
import { classifySync, syncWords } from "./sync-status";

interface WaitSyncedOptions {
  readonly deadlineMs: number;
  /** What messages call the follower. */
  readonly name?: string;
}

const POLL_MS = 200;
/** The leader is asked less often than the follower: each time is a connection of its own. */
const PROBE_EVERY_MS = 1_000;
/** Redis asks for another snapshot at once when one can't be loaded; the next may be whole. */
const FAILED_LOADS = 5;
/** What no waiting cures. */
const HOPELESS = new Set([
  "wrong-password",
  "password-needed",
  "leader-refuses-psync",
  "not-redis",
  "protected-mode",
]);

/**
 * Waits until a follower is synced and what it received is durable, or throws a Failure that names the cause as a
 * person would. A cause that somebody has to change is thrown at once, others when the time is over.
 */
export async function waitSynced(
  follower: RedisClient,
  leader: LeaderAddress,
  task: Task,
  { deadlineMs, name = follower.subject }: WaitSyncedOptions,
): Promise<SyncStatus> {
  const startedAt = task.clock.now();
  const report = reporter(task);
  let leaderInfo: Info | undefined;
  let leaderFailure: Failure | undefined;
  let probedAt = Number.NEGATIVE_INFINITY;
  let failedLoads = 0;
  let linkedErrors: number | undefined;

  for (;;) {
    task.signal.throwIfAborted();
    const now = task.clock.now();
    if (now - probedAt >= PROBE_EVERY_MS) {
      probedAt = now;
      const probe = await probeLeader(leader, task, Math.max(1, Math.min(5_000, deadlineMs)));
      leaderFailure = probe.kind === "failed" ? probe.failure : undefined;
      leaderInfo = probe.kind === "ready" ? probe.info : undefined;
    }
    const info = await follower.info();
    // Errors count from the first moment of the link; one counted during the first load is one of this link's.
    linkedErrors ??= numberIn(info, "unexpected_error_replies");
    const status = classifySync({ follower: info, leader: leaderInfo, unexpectedErrorsBefore: linkedErrors });
    if (status.state === "synced" && status.durable) return status;
    if (status.state === "broken")
      throw failed("sync-broken", status.why, "Look at the log of the follower's server");

    failedLoads = (await lastLoadFailed(follower, info)) ? failedLoads + 1 : 0;
    if (failedLoads >= FAILED_LOADS)
      throw failed(
        "snapshot-not-loaded",
        "the leader's snapshot arrives and can't be loaded here",
        "Its version may be too new for this server. The data from before are safe on disk and come back by a restart",
      );
    if (status.state === "connecting" && leaderFailure !== undefined && HOPELESS.has(leaderFailure.code))
      throw leaderFailure;
    report(status, leaderFailure);
    if (task.clock.now() - startedAt >= deadlineMs) throw timedOut(status);
    await task.clock.sleep(POLL_MS, task.signal);
  }

  function failed(code: string, cause: string, hint: string, transient = false): Failure {
    return new Failure({ code, operation: "follow", subject: name, cause, hint, transient });
  }

  function timedOut(status: SyncStatus): Failure {
    const seconds = Math.round((task.clock.now() - startedAt) / 1000);
    const behind = leaderFailure === undefined ? "" : `; its leader: ${leaderFailure.cause}`;
    return failed(
      leaderFailure?.code ?? "not-synced",
      `it is not in sync after ${seconds} s: ${syncWords(status)}${behind}`,
      leaderFailure?.hint ?? "The next `pulumi up` goes on waiting; customTimeouts gives it longer",
      true,
    );
  }
}

/** Says how far the sync is, each time that it is somewhere else. */
function reporter(task: Task): (status: SyncStatus, leaderFailure: Failure | undefined) => void {
  let last = "";
  return (status, leaderFailure) => {
    const down = status.state === "connecting" && leaderFailure !== undefined;
    const message = down ? `${syncWords(status)}: ${leaderFailure.cause}` : syncWords(status);
    if (message === last) return;
    last = message;
    task.progress({ message, ...bytes(status) });
  };
}

function bytes(status: SyncStatus): Omit<Progress, "message"> {
  if (status.state !== "syncing" || status.catchingUp) return {};
  const { doneBytes, totalBytes, estimated } = status;
  return { doneBytes, ...(totalBytes === undefined || estimated === true ? {} : { totalBytes }) };
}
