import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import { claimsRoleOf } from "../../core/hand-over";
import type { Task } from "../../core/task";
import type { Applied, FacetChange } from "../../platforms/contract";
import { readRecord } from "../../platforms/local/records";
import type { FoundServer } from "../../platforms/local/servers";
import { claimed, ended, noSuchAddon, refuseForeign } from "../records/claims";
import { runsAlike } from "../records/fallback";
import { refuseOwnFolders } from "../records/refuse-own-folders";
import { refuseSecondPolicy } from "../records/refuse-second-policy";
import { letGoOfLeader } from "../replication/change/let-go";
import { prepareToFollow } from "../replication/change/prepare-to-follow";
import { refuseHalfSwitchover } from "../replication/change/recorded-replication";
import { followersOf } from "../replication/leader/leader-of";
import type { AgentService } from "../service";
import { recordChange } from "./record-change";
import { settledRecord } from "./settled-record";

/** Records what one facet is to be, and places what that needs. In the add-on's queue. */
export async function apply(
  service: AgentService,
  change: FacetChange,
  servers: readonly FoundServer[],
  task: Task,
): Promise<Applied> {
  const { layout, identity, supervisor } = service;
  const existing = await settledRecord(service, change.name, task);
  if (existing === undefined && change.facet !== "server") {
    if (change.wish === undefined) return { outcome: "absent" };
    throw noSuchAddon(change.name, identity);
  }
  if (existing === undefined && change.claim.kind !== "create") throw noSuchAddon(change.name, identity);
  if (existing !== undefined) {
    refuseForeign(existing, change.claim);
    refuseSecondPolicy(existing, change);
  }

  await refuseOwnFolders(layout, change);

  const facet = existing?.[change.facet];
  const instance = (change.wish === undefined ? ended : claimed)(facet?.instance, change.claim);
  if (instance === "stale") return { outcome: "stale" };

  if (existing !== undefined && change.facet === "replication" && change.wish !== undefined)
    await refuseHalfSwitchover(layout, existing, change.wish);

  // Before anything is recorded: a call that is cut off anywhere from here on is completed by the supervisor.
  supervisor.touch(change.name);
  const prepared =
    existing !== undefined && change.facet === "replication"
      ? await prepareToFollow(service, existing, change, task)
      : undefined;
  if (existing !== undefined && change.facet === "replication")
    await letGoOfLeader(existing, change.wish, task);
  // What was prepared is completed, or taken back where nothing was recorded, at the supervisor's next look.
  const record = await recordChange(service, { existing, change, instance, servers }, task).finally(() => {
    if (prepared !== undefined) supervisor.touch(change.name);
  });
  for (const follower of await followersOf(layout, record.name)) supervisor.touch(follower);
  const { finalOffset, ...placed } = await supervisor.place(record.name, task);
  const promoted = change.facet === "replication" && finalOffset !== undefined ? { finalOffset } : {};
  await requireKept(service, record);
  await placeOldLeader(service, existing, record);
  return { outcome: "applied", record, ...prepared, ...placed, ...promoted };
}

/** The supervisor may have undone what an interrupted call recorded, while this one made it again. */
async function requireKept({ layout }: AgentService, record: AddonRecord): Promise<void> {
  const present = await readRecord(layout, record.name);
  if (present === undefined || runsAlike(present, record)) return;
  throw new Failure({
    code: "change-undone",
    operation: "change",
    subject: record.name,
    cause: "no server could run with the change, so it was undone",
    hint: `Read ${layout.addon(record.name).log} and ${layout.agentLog}`,
  });
}

/** Whose role a RedisFollower no longer says that it has: both lead now, each with its data. */
async function placeOldLeader(
  service: AgentService,
  before: AddonRecord | undefined,
  now: AddonRecord,
): Promise<void> {
  const wish = before?.replication?.wish;
  if (before === undefined || wish?.kind !== "addon") return;
  if (claimsRoleOf(before, wish.addon) && !claimsRoleOf(now, wish.addon))
    await service.placeInBackground(wish.addon);
}
