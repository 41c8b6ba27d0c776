import type { AddonRecord } from "./facets";

/**
 * A server of a hand-over, as it was found. `failing-over`: it holds writes up and is giving its role away; `silent`: its
 * process is there and doesn't answer.
 */
export type Standing = "leads" | "follows" | "failing-over" | "silent" | "down";

export interface HandOverEvidence {
  /** Whether the record of the one that is to have the role says that it has it. */
  readonly isRecorded: boolean;
  /** The one that gives its role away. */
  readonly giver: Standing;
  /** Whether it was told to keep its role after all: from then on it may take writes. */
  readonly wasAborted: boolean;
  /** Whether a start brings back what it held. */
  readonly giverKeepsData: boolean;
  /** The one that is to have it. */
  readonly receiver: Standing;
  /** Whether it takes longer than it may. */
  readonly isOverdue: boolean;
}

/** `abort`: end the failover that is under way, then look again. */
type HandOverVerdict = "happened" | "did-not-happen" | "wait" | "abort";

/**
 * Who is the leader after a hand-over that was begun, from what can be seen of it.
 *
 * What makes the choice free is that the receiver takes no write before its record says that it leads, and that it only
 * leads once it has every write that was acknowledged: then either will do. Choosing the receiver would lose something
 * once the giver has taken its role back, which it does only where the receiver does not lead, or where it is told to: so
 * that is recorded first. Of a giver that has ended, the receiver has more than may be on the giver's disk.
 */
export function handOverVerdict(evidence: HandOverEvidence): HandOverVerdict {
  const { giver, receiver, isOverdue } = evidence;
  if (evidence.isRecorded) return "happened";
  switch (giver) {
    case "leads":
      return "did-not-happen";
    case "silent":
      // It may be taking writes, and nobody could tell it not to.
      return "wait";
    case "failing-over":
      return receiver === "down" || isOverdue ? "abort" : "wait";
    case "follows":
      if (receiver === "leads") return "happened";
      return receiver === "silent" && !isOverdue ? "wait" : "did-not-happen";
    case "down":
      if (receiver === "leads")
        return evidence.wasAborted && evidence.giverKeepsData ? "did-not-happen" : "happened";
      return receiver === "silent" && !(isOverdue && evidence.giverKeepsData) ? "wait" : "did-not-happen";
  }
}

/** Whether the roles of these two are exchanged against what their RedisFollower says of itself: it leads. */
export function isExchanged(declaredLeader: AddonRecord, declaredFollower: AddonRecord): boolean {
  const { demoted } = declaredLeader;
  return demoted?.to === declaredFollower.name && demoted.createdAt === declaredFollower.createdAt;
}

/** Whether the record of an add-on says that it has exchanged its role with that one's. */
export function claimsRoleOf(follower: AddonRecord, leader: string): boolean {
  const wish = follower.replication?.wish;
  return wish?.kind === "addon" && wish.addon === leader && wish.position === "switched-over";
}

/** Whether the receiver's record says that it has the role: from then on the hand-over has happened. */
export function hasReceived(giver: AddonRecord, receiver: AddonRecord): boolean {
  return claimsRoleOf(giver, receiver.name)
    ? receiver.demoted === undefined
    : claimsRoleOf(receiver, giver.name);
}

/** The receiver's record with the role; the first to be written. */
export function asReceiver(giver: AddonRecord, receiver: AddonRecord): AddonRecord {
  if (claimsRoleOf(giver, receiver.name)) return withoutDemotion(receiver);
  const { replication } = receiver;
  if (replication === undefined) throw new Error(`the record of ${receiver.name} lost whom it follows`);
  const wish = { kind: "addon", addon: giver.name, position: "switched-over" } as const;
  return { ...receiver, replication: { ...replication, wish } };
}

/** The giver's record without the role; written once the receiver's says that it has it. */
export function asGiver(giver: AddonRecord, receiver: AddonRecord): AddonRecord {
  const { replication, ...rest } = withoutIntent(giver);
  if (replication !== undefined && claimsRoleOf(giver, receiver.name))
    return { ...rest, replication: { ...replication, wish: { kind: "addon", addon: receiver.name } } };
  const demoted = { to: receiver.name, createdAt: receiver.createdAt };
  return { ...rest, ...(replication === undefined ? {} : { replication }), demoted };
}

/** The giver's record where it keeps its role. */
export function withoutIntent(giver: AddonRecord): AddonRecord {
  const { handingOver: _, ...kept } = giver;
  return kept;
}

export function withoutDemotion(record: AddonRecord): AddonRecord {
  const { demoted: _, ...released } = record;
  return released;
}
