import { changeRefused } from "../core/change-refused";
import type { AddonRecord } from "../core/facets";
import { planOf } from "../core/plans";
import { resizeProblem } from "../core/resize";
import type { Task } from "../core/task";
import type { Claim, Platform, ServerRequest } from "../platforms/contract";
import { recordOf } from "./applied";
import { usageOf } from "./usage";

export interface ProvisionRequest {
  readonly name: string;
  readonly claim: Claim;
  readonly wish: ServerRequest;
  /** Which inputs the program set. */
  readonly given: readonly string[];
}

export interface Provisioned {
  readonly record: AddonRecord;
  /** How long its server was away, where it had to restart. */
  readonly restartedMs?: number | undefined;
}

/**
 * Makes the add-on run as wished: created, adopted (same name, same project) or changed.
 *
 * Fails with `change-refused` where the plan is too small for the data in use, with `stale-instance` where the claim's token has been replaced, with `foreign-owner` where another project
 * made the add-on of that name.
 */
export async function provision(
  platform: Platform,
  request: ProvisionRequest,
  task: Task,
): Promise<Provisioned> {
  const existing = await platform.load(request.name);
  if (existing !== undefined) await refuseTooSmall(platform, existing, request, task);
  task.progress({ message: "placing the server" });
  const applied = await platform.apply({ facet: "server", ...request }, task);
  const record = recordOf(applied, "change", request.name);
  return { record, restartedMs: applied.outcome === "applied" ? applied.restartedMs : undefined };
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
