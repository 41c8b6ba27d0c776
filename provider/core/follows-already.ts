import type { AddonRecord, ReplicationWish } from "./facets";
import { followed } from "./followed";

/**
 * Whether an add-on follows this very leader already, so that all it holds came from there. `leaderCreatedAt`: when the
 * add-on that is wished as its leader was made; one that was made anew under the old name is another leader, and empty.
 */
export function followsAlready(
  record: AddonRecord,
  wish: ReplicationWish,
  leaderCreatedAt: string | undefined,
): boolean {
  const now = followed(record);
  if (now === undefined) return false;
  if (now.kind === "addon")
    return wish.kind === "addon" && now.addon === wish.addon && now.createdAt === leaderCreatedAt;
  return wish.kind === "external" && now.host === wish.host && now.port === wish.port;
}
