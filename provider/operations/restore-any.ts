import { Failure } from "../core/errors";
import { type HeldData, heldWords, holdsAnything } from "../core/held-data";
import type { Task } from "../core/task";
import { authority } from "../core/uri";
import type { RedisClient, RedisTarget } from "../redis/client";
import { connectPatiently } from "../redis/connect-patiently";
import { heldData, type Info } from "../redis/info";
import { stopFollowing, waitDurable } from "../redis/promote";
import { serveSnapshot } from "../redis/replication/serve";
import { awaitLoad } from "../redis/restore-into/await-load";
import { holdWrites } from "../redis/restore-into/hold-writes";
import { leadIt, putBack, rememberBefore } from "../redis/restore-into/lead";
import { leave, type Left } from "../redis/restore-into/leave";
import { lookAtTarget, type TargetLook } from "../redis/restore-into/look";
import { failedWith } from "./restore-any/failed-with";
import { durabilityWarnings, requireCounted } from "./restore-any/loaded";
import { factsOf, proveSnapshot } from "./restore-any/proven-snapshot";
import {
  backUpBefore,
  requireSafetyPlace,
  type SafetyPlace,
  safetyWarnings,
  writeWarnings,
} from "./restore-any/safety";
import { type ListenWish, whereWeListen } from "./restore-any/where-we-listen";
import type { ResolvedRestore } from "./restore/restore-source";

/** A Redis that isn't ours, by its address. */
export type RestoreTarget = Pick<RedisTarget, "host" | "port" | "username" | "tls"> & {
  /** Absent: it has none. */
  readonly password?: string | undefined;
};

export interface AnyRestoreRequest {
  readonly backup: ResolvedRestore;
  readonly target: RestoreTarget;
  /** False: a target that holds anything is refused (`holds-data`). */
  readonly replaceData: boolean;
  /** Where what is replaced is backed up before; absent: nowhere, and it is gone afterwards. */
  readonly safety?: SafetyPlace | undefined;
  readonly listening?: ListenWish | undefined;
  /** How long the target may take until it has connected; milliseconds. */
  readonly reachMs?: number | undefined;
  /** Its servers serve verifications, where there are any. */
  readonly dataHome?: string | undefined;
}

export interface AnyRestored {
  /** The slot; of a lone archive, its file's name. */
  readonly backup: string;
  /** URL of the archive. */
  readonly archive: string;
  /** `host:port`. */
  readonly target: string;
  /** As the target counted them after it had loaded them, before what has expired was dropped. */
  readonly keys: number;
  /** The backup of what was replaced. */
  readonly safetyBackup?: { readonly slot: string; readonly archive: string };
  /** How long its users could not write. */
  readonly readOnlyMs: number;
  /** What the user should know, each a sentence. */
  readonly warnings: readonly string[];
}

const OPERATION = "restore into";
/** A first AOF of a large data set takes its time. */
const DURABLE_DEADLINE_MS = 20 * 60_000;
/** For a target to finish a load that nothing can stop, and to be let go after it. */
const LEAVE_DEADLINE_MS = 15 * 60_000;

/**
 * What the target is and holds, before anything is touched; a Failure where something stands against the restore:
 * `password-needed` where it wants one, and the codes of its findings. Changes nothing.
 */
export async function previewRestoreAny(
  { backup, target }: Pick<AnyRestoreRequest, "backup" | "target">,
  task: Task,
): Promise<TargetLook> {
  await using client = await connectTarget(target, task);
  return requireFit(client, await lookAtTarget(client, factsOf(backup)));
}

/**
 * Loads a backup into a Redis that isn't ours, over the network alone: we are its leader for as long as it takes to
 * send one snapshot. What it held is backed up before, while its writers wait. It fails with the target as it was, or
 * says how it was left and what to do.
 */
export async function restoreAny(request: AnyRestoreRequest, task: Task): Promise<AnyRestored> {
  const { backup, target, dataHome } = request;
  const look = await previewRestoreAny(request, task);
  refuseToLose(request, look.held);
  const at = await whereWeListen(request.listening ?? {}, { ...target, seesUsAs: look.seesUsAs }, task);
  await using proven = await proveSnapshot(backup, dataHome, task);
  await using server = await serveSnapshot(proven.served, at.listen, task);
  const announced = { host: at.announce.host, port: at.announce.port || server.port };
  await using guard = await connectTarget(target, task);
  // It may have taken writes since it was looked at first, or been given another leader.
  const { held } = requireFit(guard, await lookAtTarget(guard, proven.facts));
  refuseToLose(request, held);

  const wanted = holdsAnything(held) ? request.safety : undefined;
  if (wanted !== undefined) await requireSafetyPlace(request, wanted, task);
  await using writers = await (wanted === undefined ? undefined : holdWrites(guard, task));
  const safety = wanted && (await backUpBefore(request, wanted, task));
  const warnings = [
    ...proven.warnings,
    ...safetyWarnings(safety),
    ...writeWarnings(wanted !== undefined, writers),
  ];
  // That may have taken longer than a connection may be idle.
  await using client = await connectTarget(target, task);
  const before = await rememberBefore(client);
  const readOnlySince = task.clock.now();
  let loaded: Info;
  try {
    await leadIt(client, { ...announced, username: server.username, password: server.password });
    // What they wanted to write is refused from here on, not lost.
    await writers?.[Symbol.asyncDispose]();
    await awaitLoad(client, server, { held, announced, reachMs: request.reachMs }, task);
    loaded = await client.info();
    requireCounted(client, loaded, proven.counts);
    task.progress({ message: "making it a leader again" });
    await stopFollowing(client, task, client.subject);
    await putBack(client, before);
  } catch (error) {
    // It must not begin to load what nobody waits for any more.
    await server[Symbol.asyncDispose]();
    const { replicationId } = server;
    const left = await leaveBehind(request, { before, held, replicationId }, task);
    const taken = wanted && safety && { place: wanted, backup: safety };
    throw failedWith(error, client.subject, left, taken);
  }
  const readOnlyMs = task.clock.now() - readOnlySince;
  await waitDurable(client, task, { operation: OPERATION, deadlineMs: DURABLE_DEADLINE_MS });
  return {
    backup: backup.backup,
    archive: backup.archive,
    target: client.subject,
    keys: heldData(loaded).keys,
    ...(safety === undefined ? {} : { safetyBackup: { slot: safety.slot, archive: safety.archiveUrl } }),
    readOnlyMs,
    warnings: [...warnings, ...(await durabilityWarnings(client))],
  };
}

function connectTarget(
  { host, port, username, password = "", tls }: RestoreTarget,
  task: Pick<Task, "signal">,
) {
  const operation = OPERATION;
  return connectPatiently(
    { host, port, username, password, tls, operation, subject: authority(host, port) },
    task,
  );
}

function requireFit({ subject }: RedisClient, look: TargetLook): TargetLook {
  const problem = look.findings.find(({ severity }) => severity === "refuse");
  if (problem === undefined) return look;
  const { code, cause, hint, transient } = problem;
  throw new Failure({ code, operation: OPERATION, subject, cause, hint, transient });
}

function refuseToLose({ replaceData, target }: AnyRestoreRequest, held: HeldData): void {
  if (replaceData || !holdsAnything(held)) return;
  throw new Failure({
    code: "holds-data",
    operation: OPERATION,
    subject: authority(target.host, target.port),
    cause: `it holds ${heldWords(held)}, which the backup's data would replace`,
    hint: "To have them replaced, add --replace-data: a verified backup of them is taken first",
  });
}

/** An interruption has ended the task and its connection; what is left to do gets its own. */
async function leaveBehind(
  { target }: AnyRestoreRequest,
  left: Omit<Parameters<typeof leave>[0], "connect">,
  given: Task,
): Promise<Left> {
  const task = { ...given, signal: AbortSignal.timeout(LEAVE_DEADLINE_MS) };
  task.progress({ message: "letting the target go" });
  return leave({ ...left, connect: () => connectTarget(target, task) }, task);
}
