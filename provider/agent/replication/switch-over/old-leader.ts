import type { AddonRecord } from "../../../core/facets";
import { isExchanged, withoutDemotion } from "../../../core/hand-over";
import type { HomeLayout } from "../../../platforms/local/home";
import { readRecord } from "../../../platforms/local/records";
import { changeRecord } from "../../records/change-record";

/**
 * The add-on that is being removed has the role of an old leader, which leads again from now on with the data that it
 * has. Call it once the server of the removed one has ended. Returns the old leader's name; absent: there is none.
 */
export async function releaseOldLeader(
  layout: HomeLayout,
  removed: AddonRecord,
): Promise<string | undefined> {
  const wish = removed.replication?.wish;
  if (wish?.kind !== "addon") return undefined;
  const old = await readRecord(layout, wish.addon);
  if (old === undefined || !isExchanged(old, removed)) return undefined;
  await changeRecord(layout, old.name, withoutDemotion);
  return old.name;
}

/**
 * The record of an add-on that no RedisFollower declares any more. An old leader whose new leader is gone leads again;
 * while that one is there, it is its RedisFollower that says who leads.
 */
export async function afterFollowing(layout: HomeLayout, record: AddonRecord): Promise<AddonRecord> {
  if (record.demoted === undefined) return { ...record };
  const leader = await readRecord(layout, record.demoted.to);
  return leader?.createdAt === record.demoted.createdAt ? { ...record } : withoutDemotion(record);
}
