import { noSuchLeader } from "../../core/as-leader";
import type { AddonRecord, ReplicationWish } from "../../core/facets";
import type { HomeLayout } from "../../platforms/local/home";
import { readRecord } from "../../platforms/local/records";

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
  if (leader === undefined) throw noSuchLeader(wish.addon, existing.name);
  return { ...existing, replication: { ...rest, wish, leaderCreatedAt: leader.createdAt } };
}
