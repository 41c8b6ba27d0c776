import { Failure } from "../core/errors";
import { restartEstimateMs, type Usage } from "../core/resize";
import { restartProblem } from "../core/restart-problem";
import type { Task } from "../core/task";
import type { Platform, Restarted } from "../platforms/contract";
import { noSuchAddon } from "./no-such-addon";
import { usageOf } from "./usage";

const HINT = "See what there is: redis-addon list";

/** What a restart would interrupt. */
export interface RestartPreview {
  /** Absent: its server doesn't answer, so there is nothing to interrupt that anybody knew of. */
  readonly usage?: Usage;
  /** About how long it would be away; absent: as above. */
  readonly awayMs?: number;
}

/**
 * Looks at what a restart would interrupt. Changes nothing. Fails with `no-such-addon`, and where it may not be restarted
 * now: `removing`, `restoring`.
 */
export async function previewRestart(platform: Platform, name: string, task: Task): Promise<RestartPreview> {
  const record = await platform.load(name);
  if (record === undefined) throw await noSuchAddon(platform, name, HINT);
  const problem = restartProblem(record);
  if (problem !== undefined) throw new Failure({ ...problem, operation: "restart", subject: name });
  const usage = await usageOf(platform, record, task);
  return usage === undefined ? {} : { usage, awayMs: restartEstimateMs(usage) };
}

/**
 * Restarts an add-on's server, its data written down, and returns once it answers and is as recorded; one that doesn't
 * run is started. Fails as the preview does, and where the server can't be stopped or started.
 */
export async function restart(
  platform: Platform,
  name: string,
  task: Task,
): Promise<Exclude<Restarted, { outcome: "absent" }>> {
  const restarted = await platform.restart(name, task);
  if (restarted.outcome !== "absent") return restarted;
  throw await noSuchAddon(platform, name, HINT);
}
