import type { HomeLayout } from "../../platforms/local/home";
import { readRecord, recordedNames } from "../../platforms/local/records";

/** The add-ons of this data home that follow one of its add-ons. */
export async function followersOf(layout: HomeLayout, leader: string): Promise<string[]> {
  const followers: string[] = [];
  for (const name of await recordedNames(layout).catch(() => [])) {
    // One that can't be read shows that in its own status.
    const record = await readRecord(layout, name).catch(() => undefined);
    const follows = record?.replication?.wish;
    if (follows?.kind === "addon" && follows.addon === leader) followers.push(name);
  }
  return followers;
}
