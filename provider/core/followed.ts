import type { AddonRecord, ReplicationWish } from "./facets";

/** Whom an add-on follows. */
export type Followed =
  | { readonly kind: "addon"; readonly addon: string; readonly createdAt: string | undefined }
  | Extract<ReplicationWish, { kind: "external" }>;

/** Why an add-on that should follow is told to follow nobody; absent: nothing keeps it from it. */
export function haltOf(record: AddonRecord): { readonly why: string; readonly since: string } | undefined {
  return record.demoted === undefined ? record.replication?.halted : record.demoted.halted;
}

/** Whom the record says that its add-on follows; absent: it is a leader. */
export function followed(record: AddonRecord): Followed | undefined {
  // Its final backup is taken from it, and a follower that has lost its leader gives no snapshot away.
  if (record.removing !== undefined) return undefined;
  if (record.demoted !== undefined)
    return { kind: "addon", addon: record.demoted.to, createdAt: record.demoted.createdAt };
  const { replication } = record;
  if (replication === undefined || replication.wish.position !== undefined) return undefined;
  const { wish, leaderCreatedAt } = replication;
  return wish.kind === "external" ? wish : { kind: "addon", addon: wish.addon, createdAt: leaderCreatedAt };
}
