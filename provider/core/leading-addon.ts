import type { AddonRecord } from "./facets";
import { followed } from "./followed";

/**
 * The add-on that another one of the same place follows, a switchover followed to where the role is now; absent where it
 * follows none, or the one that it followed is gone. `load` reads a record there.
 */
export async function leadingAddon(
  record: AddonRecord,
  load: (name: string) => Promise<AddonRecord | undefined>,
): Promise<AddonRecord | undefined> {
  const target = followed(record);
  if (target?.kind !== "addon") return undefined;
  const leader = await load(target.addon);
  // An add-on that was made anew under the old name is empty: whoever follows it would lose everything.
  if (leader === undefined || leader.createdAt !== target.createdAt) return undefined;
  return holderOfRole(leader, record.name, load);
}

/**
 * Who has the role of an add-on that `follower` follows: itself, or the one that it was given to in a switchover with
 * another one than that follower; absent where that one is gone.
 */
export async function holderOfRole(
  leader: AddonRecord,
  follower: string,
  load: (name: string) => Promise<AddonRecord | undefined>,
): Promise<AddonRecord | undefined> {
  if (leader.demoted === undefined || leader.demoted.to === follower) return leader;
  const promoted = await load(leader.demoted.to);
  return promoted?.createdAt === leader.demoted.createdAt ? promoted : undefined;
}
