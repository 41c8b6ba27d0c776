import type { AddonRecord } from "../../provider/core/facets";
import { desiredServer, type LeaderAddress } from "../../provider/core/render";
import type { SyncStatus } from "../../provider/core/status";
import { converge } from "../../provider/redis/converge";
import { waitSynced } from "../../provider/redis/wait-synced";
import {
  following,
  startAddon,
  testRecord,
  testTask,
  type LocalAddon,
  type LocalAddonOptions,
} from "./local-addon";
import { DEBUG_LINES, ROOMY, versionOf } from "./stock-leader";
import type { Tool } from "./tools";

const DEADLINE_MS = 40_000;

/** An add-on on such a server, with room for what a stock leader holds; `digestOf` may be asked of it. */
export function startAddonOn(server: Tool, options: LocalAddonOptions = {}): Promise<LocalAddon> {
  const record = testRecord({ version: versionOf(server).spelling, plan: ROOMY });
  return startAddon(record, undefined, { executable: server.path, lines: DEBUG_LINES, ...options });
}

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
