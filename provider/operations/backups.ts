import type { AddonRecord, BackupsWish } from "../core/facets";
import type { Task } from "../core/task";
import type { BackupResult, Claim, Platform } from "../platforms/contract";
import { recordOf } from "./applied";

export interface BackupsRequest {
  readonly name: string;
  readonly claim: Claim;
  readonly wish: BackupsWish;
  readonly given: readonly string[];
}

/** Sets when the add-on is backed up, where to, and how long backups are kept. */
export async function setBackups(
  platform: Platform,
  request: BackupsRequest,
  task: Task,
): Promise<AddonRecord> {
  return recordOf(
    await platform.apply({ facet: "backups", ...request }, task),
    "set the backups of",
    request.name,
  );
}

/** Returns to the default policy; removes no backup. */
export async function resetBackups(
  platform: Platform,
  request: { readonly name: string; readonly token: string },
  task: Task,
): Promise<"reset" | "stale" | "absent"> {
  const claim: Claim = { kind: "carry", token: request.token };
  const change = { facet: "backups", name: request.name, claim, given: [], wish: undefined } as const;
  const applied = await platform.apply(change, task);
  return applied.outcome === "applied" ? "reset" : applied.outcome;
}

/** Takes a backup now. */
export function backUp(platform: Platform, name: string, task: Task): Promise<BackupResult> {
  return platform.backUp(name, task);
}
