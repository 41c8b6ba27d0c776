import { addressAsLeader, noSuchLeader } from "../core/as-leader";
import { Failure } from "../core/errors";
import type { AddonRecord } from "../core/facets";
import { followed, haltOf } from "../core/followed";
import { leadingAddon } from "../core/leading-addon";
import type { LeaderAddress } from "../core/render";
import type { Task } from "../core/task";
import type { Platform, SafetyBackup } from "../platforms/contract";
import { waitSynced } from "../redis/wait-synced";
import { connectAdmin } from "./connect-admin";
import { noSuchAddon } from "./no-such-addon";

/** How long a leader may be down before that is no restart. */
const DOWN_MS = 5_000;
const LOOK_EVERY_MS = 500;

export interface Resynced {
  readonly record: AddonRecord;
  /** Of what was replaced: of the follower, and of others of the same leader. Empty: nothing had kept them from it. */
  readonly safetyBackups: readonly SafetyBackup[];
}

/**
 * Has a follower take what its leader has now, although that may be less than the follower has: somebody has decided so.
 * What it has is backed up first, verified or at least looked at; returns once it is in sync. Refused (`leader-down`)
 * where the leader is an add-on whose server can't run.
 */
export async function resync(
  platform: Platform,
  { name, deadlineMs }: { readonly name: string; readonly deadlineMs: number },
  task: Task,
): Promise<Resynced> {
  const record = await platform.load(name);
  if (record === undefined) throw await noSuchAddon(platform, name, "See what there is: redis-addon list");
  const address = await leaderAddress(platform, record, task);
  const trusted = await platform.trustData(name, task);
  const safetyBackups = trusted.outcome === "trusted" ? trusted.safetyBackups : [];
  try {
    await waitSynced(() => connectAdmin(platform, record, task), address, task, {
      deadlineMs,
      name,
      halted: async () => {
        const present = await platform.load(name);
        return present && haltOf(present)?.why;
      },
    });
  } catch (error) {
    throw withBackups(error, safetyBackups);
  }
  return { record, safetyBackups };
}

async function leaderAddress(platform: Platform, record: AddonRecord, task: Task): Promise<LeaderAddress> {
  const target = followed(record);
  if (target === undefined)
    throw new Failure({
      code: "no-follower",
      operation: "resync",
      subject: record.name,
      cause: "it follows nobody",
      hint: "Name a follower: redis-addon list shows who is one",
    });
  if (target.kind === "external") return target;
  const leader = await leadingAddon(record, (name) => platform.load(name));
  if (leader === undefined) throw noSuchLeader(target.addon, record.name);
  await requireRunning(platform, leader.name, record.name, task);
  return addressAsLeader(leader);
}

/** A server that was just lost is started again at once; one that stays down somebody has to mend. */
async function requireRunning(platform: Platform, leader: string, name: string, task: Task): Promise<void> {
  const startedAt = task.clock.now();
  for (;;) {
    const process = (await platform.placement(leader))?.process;
    if (process?.state !== "stopped") return;
    if (task.clock.now() - startedAt >= DOWN_MS) throw leaderDown(name, leader, process.why);
    task.progress({ message: `its leader ${leader} is not running` });
    await task.clock.sleep(LOOK_EVERY_MS, task.signal);
  }
}

function leaderDown(name: string, leader: string, why: string): Failure {
  return new Failure({
    code: "leader-down",
    operation: "resync",
    subject: name,
    cause: `its leader ${leader} is not running: ${why}`,
    hint: `Mend that and run this again; or do without: redis-addon follower promote ${name}`,
  });
}

/** Whoever has to mend it must know where the keys are that were there before. */
function withBackups(error: unknown, backups: readonly SafetyBackup[]): unknown {
  if (!(error instanceof Failure) || backups.length === 0) return error;
  const kept = backups.map(
    ({ addon, backup }) => `What ${addon} held before is in the backup ${backup.slot}`,
  );
  return new Failure({
    ...error.report(),
    hint: [error.hint, ...kept].filter((text) => text !== "").join(". "),
  });
}
