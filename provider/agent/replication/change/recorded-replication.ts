import { noSuchLeader } from "../../../core/as-leader";
import { Failure } from "../../../core/errors";
import type { AddonRecord, ReplicationWish } from "../../../core/facets";
import { isExchanged } from "../../../core/hand-over";
import type { HomeLayout } from "../../../platforms/local/home";
import { readRecord } from "../../../platforms/local/records";

type Facet = NonNullable<AddonRecord["replication"]>;

/** The record with its replication as wished; whatever stopped it before is tried again. */
export async function recordedReplication(
  layout: HomeLayout,
  existing: AddonRecord,
  wish: ReplicationWish,
  rest: Pick<Facet, "instance" | "given" | "since" | "urn">,
): Promise<AddonRecord> {
  if (wish.kind === "external") return { ...existing, replication: { ...rest, wish } };
  const leader = await readRecord(layout, wish.addon);
  const known = existing.replication?.wish.kind === "addon" ? existing.replication : undefined;
  // Who is promoted needs its leader no more, which may be why it is promoted.
  if (leader === undefined && wish.position === "promoted" && known?.leaderCreatedAt !== undefined)
    return { ...existing, replication: { ...rest, wish, leaderCreatedAt: known.leaderCreatedAt } };
  if (leader === undefined) throw noSuchLeader(wish.addon, existing.name);
  return { ...existing, replication: { ...rest, wish, leaderCreatedAt: leader.createdAt } };
}

/**
 * Roles are exchanged by a switchover alone: a wish that would do it by the way, or undo it, is refused, before anything
 * is prepared for it.
 */
export async function refuseHalfSwitchover(
  layout: HomeLayout,
  existing: AddonRecord,
  wish: ReplicationWish,
): Promise<void> {
  const { name, demoted, replication } = existing;
  const present = replication?.wish;
  // One that was promoted once leads by its own RedisFollower's word, and has exchanged that role since.
  const wasPromoted = wish.position === "promoted" && present?.position === "promoted";
  if (demoted !== undefined && !wasPromoted)
    throw exchanged(name, `it gave its role to ${demoted.to}, and follows it`, demoted.to);
  const old =
    present?.kind === "addon" && present.position === "switched-over"
      ? await readRecord(layout, present.addon)
      : undefined;
  const isPair = old !== undefined && isExchanged(old, existing);
  const isSame = wish.kind === "addon" && wish.position === "switched-over" && wish.addon === old?.name;
  if (isPair && !isSame && wish.position !== "promoted")
    throw exchanged(name, `it has the role of ${old.name}, which follows it`, name);
  if (wish.position === "switched-over" && !isSame)
    throw new Failure({
      code: "not-switched-over",
      operation: "record the roles of",
      subject: name,
      cause: "they are exchanged by a switchover, which has not happened",
      hint: `redis-addon follower switchover ${name}`,
    });
}

function exchanged(name: string, cause: string, follower: string): Failure {
  return new Failure({
    code: "roles-exchanged",
    operation: "follow with",
    subject: name,
    cause,
    hint: `Exchange the roles back first: switchedOver: false on the RedisFollower of ${follower}`,
  });
}
