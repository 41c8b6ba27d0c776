import { addressAsLeader } from "../../core/as-leader";
import type { AddonRecord } from "../../core/facets";
import { followed } from "../../core/followed";
import type { LeaderAddress } from "../../core/render";
import type { HomeLayout } from "../../platforms/local/home";
import { readRecord, recordedNames } from "../../platforms/local/records";

/** The address that an add-on's server is to follow; absent: nobody's, whatever it is to do. */
export async function leaderOf(layout: HomeLayout, record: AddonRecord): Promise<LeaderAddress | undefined> {
  const target = followed(record);
  if (target === undefined || record.replication?.halted !== undefined) return undefined;
  if (target.kind === "external") return target;
  const leader = await leadingAddon(layout, record);
  return leader === undefined ? undefined : addressAsLeader(leader);
}

/**
 * The add-on of this data home that another one follows, a switchover followed to where the role is now; absent where it
 * follows none, or the one that it followed is gone.
 */
export async function leadingAddon(
  layout: HomeLayout,
  record: AddonRecord,
): Promise<AddonRecord | undefined> {
  const target = followed(record);
  if (target?.kind !== "addon") return undefined;
  const leader = await readRecord(layout, target.addon);
  // An add-on that was made anew under the old name is empty: whoever follows it would lose everything.
  if (leader === undefined || leader.createdAt !== target.createdAt) return undefined;
  if (leader.demoted === undefined || leader.demoted.to === record.name) return leader;
  const promoted = await readRecord(layout, leader.demoted.to);
  return promoted?.createdAt === leader.demoted.createdAt ? promoted : undefined;
}

/** The add-ons of this data home that follow one of its add-ons, or followed an earlier one of its name. */
export async function followersOf(layout: HomeLayout, leader: string): Promise<string[]> {
  const followers: string[] = [];
  for (const name of await recordedNames(layout).catch(() => [])) {
    // One that can't be read shows that in its own status.
    const record = await readRecord(layout, name).catch(() => undefined);
    const target = record && followed(record);
    if (record === undefined || target?.kind !== "addon") continue;
    const leading = await leadingAddon(layout, record).catch(() => undefined);
    if ((leading?.name ?? target.addon) === leader) followers.push(name);
  }
  return followers;
}
