import { changeRefused } from "../core/change-refused";
import { Failure } from "../core/errors";
import type { AddonRecord } from "../core/facets";
import { planOf } from "../core/plans";
import { resizeProblem } from "../core/resize";
import { isRestored, isRestoring } from "../core/restore-wish";
import type { Task } from "../core/task";
import type { Claim, Platform, ServerRequest } from "../platforms/contract";
import { recordOf } from "./applied";
import type { PreparedRestore, RestoredAddon, RestoreWish } from "./restore";
import { usageOf } from "./usage";

export interface ProvisionRequest {
  readonly name: string;
  readonly claim: Claim;
  readonly wish: ServerRequest;
  /** Which inputs the program set. */
  readonly given: readonly string[];
  /** Absent: its data stay as they are; a new one is empty. */
  readonly restore?: RestoreWish | undefined;
  /** What to do where the add-on was made and its data could not be restored; absent: what a program's user does. */
  readonly again?: string | undefined;
}

export interface Provisioned {
  readonly record: AddonRecord;
  /** How long its server was away, where it had to restart. */
  readonly restartedMs?: number | undefined;
  /** Absent where nothing was restored: not wished, or done before. */
  readonly restored?: RestoredAddon | undefined;
}

/**
 * Makes the add-on run as wished: created, adopted (same name, same project) or changed. Then its data are restored,
 * where that is wished and not recorded as done; a backup that isn't there or doesn't fit is refused before anything is
 * made or changed.
 *
 * Fails with `change-refused` where the plan is too small for the data in use, with `stale-instance` where the claim's token has been replaced, with `foreign-owner` where another project
 * made the add-on of that name, and as `restoreAddon` does.
 */
export async function provision(
  platform: Platform,
  request: ProvisionRequest,
  task: Task,
): Promise<Provisioned> {
  const { name, restore } = request;
  const existing = await platform.load(name);
  if (existing !== undefined) await refuseTooSmall(platform, existing, request, task);
  const wanted = restore === undefined || isRestored(existing, restore.from) ? undefined : restore;
  if (wanted === undefined) return placed(platform, request, task);
  // One that was cut off is completed or undone by whoever places the server.
  const found = isRestoring(existing, wanted.from)
    ? undefined
    : await prepare(platform, request, wanted, task);
  const restoring = async () => {
    const prepared = found ?? (await prepare(platform, request, wanted, task));
    const { restorePrepared } = await import("./restore.js");
    return restorePrepared(platform, { name, claim: request.claim, prepared }, task);
  };
  if (existing === undefined) return born(await placed(platform, request, task), request, restoring);
  const before = await placed(platform, request, task).catch((error: unknown) => {
    if (!wanted.replaceData || !isDown(error)) throw error;
    return undefined;
  });
  if (before !== undefined && isRestored(before.record, wanted.from)) return before;
  const restored = await restoring();
  // A server that can't load what it has is made as wished once it has other data.
  const after = before ?? (await placed(platform, request, task));
  return { ...after, record: before === undefined ? after.record : restored.record, restored };
}

/** Whoever reads that a create failed must know what is there nonetheless. */
async function born(
  made: Provisioned,
  { again = "the next `pulumi up` tries to restore again" }: ProvisionRequest,
  restoring: () => Promise<RestoredAddon>,
): Promise<Provisioned> {
  try {
    const { downtimeMs: _, ...restored } = await restoring();
    // It had no users yet.
    return { ...made, record: restored.record, restored };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const there = `The add-on itself is made, and empty: ${again}`;
    const hint = error.hint === "" ? there : `${error.hint}. ${there}`;
    throw new Failure({ ...error.report(), hint });
  }
}

/** No server runs on the data that it has: they are gone, or it can't load them. */
function isDown(error: unknown): boolean {
  return error instanceof Failure && ["data-gone", "server-failed"].includes(error.code);
}

async function placed(platform: Platform, request: ProvisionRequest, task: Task): Promise<Provisioned> {
  const { restore: _, again: __, ...server } = request;
  task.progress({ message: "placing the server" });
  const applied = await platform.apply({ facet: "server", ...server }, task);
  const record = recordOf(applied, "change", request.name);
  return { record, restartedMs: applied.outcome === "applied" ? applied.restartedMs : undefined };
}

async function prepare(
  platform: Platform,
  { name, wish: server }: ProvisionRequest,
  wish: RestoreWish,
  task: Task,
): Promise<PreparedRestore> {
  const { prepareRestore } = await import("./restore.js");
  return prepareRestore(platform, { name, wish, server }, task);
}

/** Here as well as in a preview: data grow between the two. */
async function refuseTooSmall(
  platform: Platform,
  record: AddonRecord,
  { name, wish }: ProvisionRequest,
  task: Task,
): Promise<void> {
  const [from, to] = [planOf(record.server.wish.plan), planOf(wish.plan)];
  if (to.memoryBytes >= from.memoryBytes && to.databases >= from.databases) return;
  const usage = await usageOf(platform, record, task);
  const problem = usage && resizeProblem(from, to, usage);
  if (problem !== undefined) throw changeRefused(name, "plan", problem);
}
