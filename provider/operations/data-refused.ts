import { leadingAddon } from "../core/leading-addon";
import type { Platform } from "../platforms/contract";

/** Why a follower doesn't take its leader's data until somebody says so; absent: it takes what its leader has. */
export async function dataRefused(platform: Platform, name: string): Promise<string | undefined> {
  const placement = await platform.placement(name);
  if (placement === undefined) return undefined;
  if (placement.mistrusts !== undefined) return placement.mistrusts;
  const leader = await leadingAddon(placement.record, (other) => platform.load(other));
  const distrusted = leader && (await platform.placement(leader.name))?.distrusted;
  return distrusted === undefined ? undefined : `its leader ${leader?.name ?? ""}: ${distrusted}`;
}
