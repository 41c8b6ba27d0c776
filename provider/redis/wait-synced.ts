import { Failure } from "../core/errors";
import type { LeaderAddress } from "../core/render";
import type { SyncStatus } from "../core/status";
import type { Progress, Task } from "../core/task";
import type { RedisClient } from "./client";
import type { Info } from "./info";
import { lastLoadFailed } from "./last-load";
import { probeLeader } from "./leader-probe";
import { linkHistory } from "./link-history";
import { syncProblem, unloadable, type LeaderLook, type SyncProblem } from "./sync-causes";
import { classifySync, syncStep, syncWords } from "./sync-status";

export interface WaitSyncedOptions {
  readonly deadlineMs: number;
  /** What messages call the follower. */
  readonly name?: string;
  /** Why whoever keeps the follower has told it to follow nobody for now; absent: it follows, or nobody looks after it. */
  readonly halted?: () => Promise<string | undefined>;
  /** Why its leader's data are not taken until somebody says so; absent: they are taken. */
  readonly refused?: () => Promise<string | undefined>;
}

const POLL_MS = 200;
/** The leader is asked at every fifth look alone: each time is a connection of its own. */
const LOOKS_PER_QUESTION = 5;
/** Where somebody looks after the follower, that one stops it and says more of why. */
const UNLOADABLE_AFTER_MS = { alone: 1_000, lookedAfter: 15_000 };

/** A connection to the follower, which ends the wait where it is lost; or how to make one, however often. */
type Follower = RedisClient | (() => Promise<RedisClient>);

/**
 * Waits until a follower is synced and what it received is durable, or throws a Failure that names the cause as a
 * person would. A cause that somebody has to change is thrown at once, others when the time is over: the task's too.
 */
export async function waitSynced(
  follower: Follower,
  leader: LeaderAddress,
  task: Task,
  options: WaitSyncedOptions,
): Promise<SyncStatus> {
  const connect = typeof follower === "function" ? follower : undefined;
  const { deadlineMs, halted, refused } = options;
  const { name = typeof follower === "function" ? "the follower" : follower.subject } = options;
  const startedAt = task.clock.now();
  const elapsedSeconds = () => Math.max(0, Math.floor((task.clock.now() - startedAt) / 1000));
  const report = reporter(task, elapsedSeconds);
  const history = linkHistory();
  let asked: LeaderLook = {};
  let looksSinceAsked = LOOKS_PER_QUESTION;
  let unloadableSince: number | undefined;
  let hopeless: { readonly code: string; readonly since: number } | undefined;
  let status: SyncStatus = { state: "connecting" };
  let problem: SyncProblem | undefined;
  let client = typeof follower === "function" ? undefined : follower;
  await using connections = new AsyncDisposableStack();

  try {
    for (;;) {
      task.signal.throwIfAborted();
      looksSinceAsked += 1;
      const isAskedNow = looksSinceAsked > LOOKS_PER_QUESTION;
      if (isAskedNow) {
        asked = await askLeader();
        looksSinceAsked = 1;
      }
      client ??= await connected();
      const info = await client?.info().catch(lost);
      if (client !== undefined && info !== undefined) {
        status = classifySync({
          follower: info,
          leader: asked.info,
          unexpectedErrorsBefore: history.errorsBefore(),
        });
        history.look({ status, follower: info, leader: asked.info });
        if (status.state === "synced" && status.durable) {
          // How far behind it is can't be told by what its leader had a while ago.
          if (isAskedNow || asked.info === undefined) {
            report(status, undefined);
            return status;
          }
          looksSinceAsked = LOOKS_PER_QUESTION;
          continue;
        }
        problem = syncProblem({ status, follower: info, leader: asked, broken: history.broken() });
        await refuseHopeless(client, info);
      }
      if (isAskedNow) await refuseStopped(info);
      report(status, problem);
      if (task.clock.now() - startedAt >= deadlineMs) throw timedOut();
      await task.clock.sleep(POLL_MS, task.signal);
    }
  } catch (error) {
    // Whoever waits for the whole operation has run out of time: what is known here says more than that.
    const reason: unknown = task.signal.reason;
    if (task.signal.aborted && reason instanceof Failure && reason.code === "deadline") throw timedOut();
    throw error;
  }

  async function askLeader(): Promise<LeaderLook> {
    const probe = await probeLeader(leader, task, Math.max(1, Math.min(5_000, deadlineMs)));
    return probe.kind === "failed" ? { failure: probe.failure } : { info: probe.info };
  }

  async function refuseHopeless(server: RedisClient, info: Info): Promise<void> {
    if (status.state === "broken")
      throw failed("sync-broken", status.why, "Look at the log of the follower's server");
    refuseLasting();
    const failedToLoad = status.state !== "loading" && (await lastLoadFailed(server, info).catch(lost));
    unloadableSince = failedToLoad === true ? (unloadableSince ?? task.clock.now()) : undefined;
    const patienceMs = UNLOADABLE_AFTER_MS[halted === undefined ? "alone" : "lookedAfter"];
    if (unloadableSince === undefined || task.clock.now() - unloadableSince < patienceMs) return;
    const { code, cause, hint } = unloadable(info, asked.info);
    throw failed(code, cause, hint);
  }

  /** Servers that are being started or given a new password refuse each other for a moment. */
  function refuseLasting(): void {
    const now = task.clock.now();
    if (problem?.hopelessAfterMs === undefined) hopeless = undefined;
    else if (hopeless?.code !== problem.code) hopeless = { code: problem.code, since: now };
    if (problem?.hopelessAfterMs === undefined || hopeless === undefined) return;
    if (now - hopeless.since >= problem.hopelessAfterMs)
      throw failed(problem.code, problem.cause, problem.hint);
  }

  async function refuseStopped(info: Info | undefined): Promise<void> {
    const why = await halted?.();
    if (why !== undefined) {
      const { code, cause, hint } = unloadable(info ?? new Map(), asked.info, why);
      throw failed(code, cause, hint);
    }
    const kept = status.state === "connecting" ? await refused?.() : undefined;
    if (kept !== undefined)
      throw failed(
        "leader-distrusted",
        kept,
        `To take what the leader has now: redis-addon follower resync ${name}`,
      );
  }

  /** The server has ended, or is being started anew. */
  function lost(error: unknown): undefined {
    task.signal.throwIfAborted();
    // Between two questions it has begun to load.
    if (error instanceof Failure && error.code === "loading") return undefined;
    if (connect === undefined || !(error instanceof Failure) || !error.transient) throw error;
    client = undefined;
    status = { state: "connecting", why: "its own server is being started" };
    problem = undefined;
    return undefined;
  }

  async function connected(): Promise<RedisClient | undefined> {
    const fresh = await connect?.().catch(lost);
    return fresh && connections.use(fresh);
  }

  function failed(code: string, cause: string, hint: string, transient = false): Failure {
    return new Failure({ code, operation: "follow", subject: name, cause, hint, transient });
  }

  function timedOut(): Failure {
    const why = problem === undefined ? "" : `; ${problem.cause}`;
    return failed(
      problem?.code ?? "not-synced",
      `it is not in sync after ${elapsedSeconds()} s: ${syncWords(status)}${why}`,
      problem?.hint ?? "The next `pulumi up` goes on waiting; customTimeouts gives it longer",
      true,
    );
  }
}

/** Says how far the sync is, each second and each time that it is somewhere else. */
function reporter(
  task: Task,
  elapsedSeconds: () => number,
): (status: SyncStatus, problem: SyncProblem | undefined) => void {
  let last = "";
  return (status, problem) => {
    const isStuck = (status.state === "connecting" || status.state === "waiting") && problem !== undefined;
    const message = isStuck ? `${syncStep(status)}: ${problem.cause}` : syncStep(status);
    const seconds = elapsedSeconds();
    const key = `${seconds} ${message}`;
    if (key === last) return;
    last = key;
    task.progress({ message, ...bytes(status), elapsedSeconds: seconds });
  };
}

function bytes(status: SyncStatus): Omit<Progress, "message"> {
  if (status.state !== "syncing" || status.catchingUp) return {};
  const { doneBytes, totalBytes, estimated } = status;
  return { doneBytes, ...(estimated === true ? { estimatedBytes: totalBytes } : { totalBytes }) };
}
