import { addressAsLeader } from "../../../core/as-leader";
import type { AddonRecord } from "../../../core/facets";
import { followed, haltOf } from "../../../core/followed";
import { leadingAddon as leading } from "../../../core/leading-addon";
import type { LeaderAddress } from "../../../core/render";
import type { HomeLayout } from "../../../platforms/local/home";
import { readRecord, recordedNames } from "../../../platforms/local/records";

/** The address that an add-on's server is to follow; absent: nobody's, whatever it is to do. */
export async function leaderOf(layout: HomeLayout, record: AddonRecord): Promise<LeaderAddress | undefined> {
  const target = followed(record);
  if (target === undefined || haltOf(record) !== undefined) return undefined;
  if (target.kind === "external") return target;
  const leader = await leadingAddon(layout, record);
  return leader === undefined ? undefined : addressAsLeader(leader);
}

/** The add-on of this data home that another one follows; absent where it follows none, or that one is gone. */
export function leadingAddon(layout: HomeLayout, record: AddonRecord): Promise<AddonRecord | undefined> {
  return leading(record, (name) => readRecord(layout, name));
}

/** The add-ons of this data home that follow one of its add-ons, or followed an earlier one of its name. */
export async function followersOf(layout: HomeLayout, leader: string): Promise<string[]> {
  const followers: string[] = [];
  for (const name of await recordedNames(layout).catch(() => [])) {
    // One that can't be read shows that in its own status.
    const record = await readRecord(layout, name).catch(() => undefined);
    const target = record && followed(record);
    if (record === undefined || target?.kind !== "addon") continue;
    const present = await leadingAddon(layout, record).catch(() => undefined);
    if ((present?.name ?? target.addon) === leader) followers.push(name);
  }
  return followers;
}
