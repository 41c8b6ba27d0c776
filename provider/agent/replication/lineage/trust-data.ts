import { Failure } from "../../../core/errors";
import type { AddonRecord } from "../../../core/facets";
import { followed } from "../../../core/followed";
import { holdsAnything } from "../../../core/held-data";
import type { Task } from "../../../core/task";
import type { SafetyBackup, Trusted } from "../../../platforms/contract";
import { readArmedLink } from "../../../platforms/local/armed-link-note";
import { readDataMark } from "../../../platforms/local/data-mark";
import type { HomeLayout } from "../../../platforms/local/home";
import { readRecord } from "../../../platforms/local/records";
import { heldData, isSet } from "../../../redis/info";
import { lastLoadFailed } from "../../../redis/last-load";
import { connectServer } from "../../connections/connect-server";
import { log } from "../../log";
import type { AgentService } from "../../service";
import { forgetArmedLink } from "../guard/armed-link";
import { forgetDataMark } from "./data-mark";
import { knownFollowers } from "../leader/followers";
import { leadingAddon } from "../leader/leader-of";
import { refuseWrites } from "../change/refuse-writes";
import { safetyBackup } from "../change/safety-backup";

/**
 * Lets an add-on's leader, or the add-on itself where it leads, be copied whatever it has: one of this data home, and
 * one elsewhere that the follower itself doesn't take data from. What followers have is backed up first, of each that
 * would lose it; nobody writes to them meanwhile.
 */
export async function trustData(service: AgentService, name: string, task: Task): Promise<Trusted> {
  const { layout, supervisor } = service;
  const record = await readRecord(layout, name);
  if (record === undefined) return { outcome: "absent" };
  const leader = followed(record) === undefined ? record : await leadingAddon(layout, record);
  if (!(await isDistrusted(layout, name, leader))) return { outcome: "trusted", safetyBackups: [] };

  const followers = leader === undefined ? [name] : (await knownFollowers(layout, leader.name)).followers;
  const safetyBackups: SafetyBackup[] = [];
  try {
    for (const follower of followers) {
      const backup = await saved(service, follower, task);
      if (backup !== undefined) safetyBackups.push({ addon: follower, ...backup });
    }
    if (leader === undefined) await forgetArmedLink(layout, name);
    else await forgetDataMark(layout.addon(leader.name));
    log(
      `${leader?.name ?? name}: ${leader === undefined ? "its leader's data" : "its data"} may be copied again: somebody said so`,
    );
  } finally {
    // Where this fails they follow as before, and their users have their rights back.
    for (const follower of followers) supervisor.touch(follower);
  }
  if (leader !== undefined) await supervisor.place(leader.name, task);
  for (const follower of followers) await supervisor.place(follower, task);
  return { outcome: "trusted", safetyBackups };
}

/** A leader of this data home by its own mark, one elsewhere by its follower's. */
async function isDistrusted(
  layout: HomeLayout,
  follower: string,
  leader: AddonRecord | undefined,
): Promise<boolean> {
  if (leader === undefined) return (await readArmedLink(layout.addon(follower)))?.why !== undefined;
  return (await readDataMark(layout.addon(leader.name)))?.distrusted !== undefined;
}

/** What a follower has, backed up; it follows nobody afterwards until it is placed. Absent: it has nothing. */
async function saved(
  service: AgentService,
  name: string,
  task: Task,
): Promise<Pick<SafetyBackup, "backup"> | undefined> {
  // Only a server that runs can be backed up.
  await service.supervisor.place(name, task);
  const record = await readRecord(service.layout, name);
  if (record === undefined) return undefined;
  await using server = await connectServer(record, task);
  const writes = await refuseWrites(server);
  const info = await server.info();
  if (isSet(info, "loading") || (await lastLoadFailed(server, info))) throw notInMemory(record);
  const held = heldData(info);
  const backup = holdsAnything(held)
    ? await safetyBackup(service, { record, server, held }, task)
    : undefined;
  await writes.standStill();
  return backup && { backup };
}

function notInMemory({ name }: AddonRecord): Failure {
  return new Failure({
    code: "loading",
    operation: "back up",
    subject: name,
    cause: "its data are on its disk and not in memory yet, and would be replaced",
    hint: "Try again when its server has loaded them",
    transient: true,
  });
}
