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
  if (leader.demoted === undefined || leader.demoted.to === record.name) return leader;
  const promoted = await load(leader.demoted.to);
  return promoted?.createdAt === leader.demoted.createdAt ? promoted : undefined;
}
