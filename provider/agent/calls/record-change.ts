import type { AddonRecord } from "../../core/facets";
import type { Instance } from "../../core/instance";
import { scheduledFrom } from "../../core/schedule-in-force";
import type { Task } from "../../core/task";
import type { FacetChange } from "../../platforms/contract";
import type { FoundServer } from "../../platforms/local/servers";
import { callerOf, noSuchAddon } from "../records/claims";
import { recordedReplication } from "../replication/change/recorded-replication";
import { afterFollowing } from "../replication/switch-over/old-leader";
import { saveBesideRestore } from "../restore/save-beside-restore";
import type { AgentService } from "../service";
import { recordServer } from "./record-server";

interface Accepted {
  /** Absent: the change makes the add-on. */
  readonly existing: AddonRecord | undefined;
  readonly change: FacetChange;
  readonly instance: Instance;
  readonly servers: readonly FoundServer[];
}

/** Records a change that was accepted, and returns what is recorded. */
export async function recordChange(
  service: AgentService,
  { existing, change, instance, servers }: Accepted,
  task: Task,
): Promise<AddonRecord> {
  const { layout, identity } = service;
  const since = existing?.[change.facet]?.since ?? new Date(task.clock.now()).toISOString();
  const urn = callerOf(change.claim)?.urn ?? existing?.[change.facet]?.urn;
  const rest = { instance, given: [...change.given], since, ...(urn === undefined ? {} : { urn }) };

  if (change.facet === "server")
    return recordServer(service, { existing, change, facet: rest, servers }, task);
  if (existing === undefined) throw noSuchAddon(change.name, identity);
  if (change.wish === undefined) {
    const others =
      change.facet === "replication"
        ? await afterFollowing(layout, existing)
        : { ...existing, ...scheduledFrom(existing, undefined, task.clock.now()) };
    delete others[change.facet];
    return saveBesideRestore(layout, others);
  }
  if (change.facet === "backups") {
    const from = scheduledFrom(existing, change.wish, task.clock.now());
    return saveBesideRestore(layout, { ...existing, ...from, backups: { ...rest, wish: change.wish } });
  }
  return saveBesideRestore(layout, await recordedReplication(layout, existing, change.wish, rest));
}
