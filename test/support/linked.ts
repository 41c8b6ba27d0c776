import type { AddonRecord } from "../../provider/core/facets";
import { desiredServer, type LeaderAddress } from "../../provider/core/render";
import type { SyncStatus } from "../../provider/core/status";
import { converge } from "../../provider/redis/converge";
import { waitSynced } from "../../provider/redis/wait-synced";
import { following, testTask, type LocalAddon } from "./local-addon";

const DEADLINE_MS = 40_000;

/** Makes a running add-on follow, as the platform does. */
export async function follow(addon: LocalAddon, leader: LeaderAddress): Promise<AddonRecord> {
  const record = following(addon.record);
  await converge(await addon.admin(), desiredServer(record, leader), testTask());
  return record;
}

/** Until it is in sync and what it has is on disk, as `pulumi up` waits. */
export async function synced(addon: LocalAddon, leader: LeaderAddress): Promise<SyncStatus> {
  return waitSynced(await addon.admin(), leader, testTask(), { deadlineMs: DEADLINE_MS, name: "copy" });
}

/** All data of an add-on as one number; it must have been started with `DEBUG_LINES`. */
export async function digestOf(addon: LocalAddon): Promise<string> {
  return String(await (await addon.admin()).command("DEBUG", "DIGEST"));
}
