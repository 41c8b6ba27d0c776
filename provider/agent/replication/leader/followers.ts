import type { AddonRecord } from "../../../core/facets";
import { followed } from "../../../core/followed";
import type { HomeLayout } from "../../../platforms/local/home";
import { readRecord, recordedNames } from "../../../platforms/local/records";
import { leadingAddon } from "./leader-of";

export interface Followers {
  /** The names of the leaders of this data home that others of it follow, with theirs. */
  readonly byLeader: ReadonlyMap<string, readonly string[]>;
  /** Every record could be read: whoever isn't named leads nobody. */
  readonly complete: boolean;
}

/**
 * Who follows whom within a data home. A follower that others follow is no leader: it has its leader's data. One that is
 * being removed still counts: it follows again where its removal fails.
 */
export async function followersHere(layout: HomeLayout): Promise<Followers> {
  const byLeader = new Map<string, string[]>();
  let complete = true;
  for (const name of await recordedNames(layout)) {
    try {
      const record = await readRecord(layout, name);
      const leader = record && (await leadingAddon(layout, asKept(record)));
      if (leader === undefined || followed(leader) !== undefined) continue;
      byLeader.set(leader.name, [...(byLeader.get(leader.name) ?? []), name]);
    } catch {
      // Damaged, or of a newer version; its own status says so.
      complete = false;
    }
  }
  return { byLeader, complete };
}

/** Who follows one leader of the data home; `complete` as in `followersHere`. */
export async function knownFollowers(
  layout: HomeLayout,
  leader: string,
): Promise<{ readonly followers: readonly string[]; readonly complete: boolean }> {
  const { byLeader, complete } = await followersHere(layout);
  return { followers: byLeader.get(leader) ?? [], complete };
}

/** As it is where its removal fails. */
export function asKept({ removing: _, ...record }: AddonRecord): AddonRecord {
  return record;
}
