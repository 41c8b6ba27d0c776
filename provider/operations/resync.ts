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

export interface Resynced {
  readonly record: AddonRecord;
  /** Of what was replaced: of the follower, and of others of the same leader. Empty: nothing had kept them from it. */
  readonly safetyBackups: readonly SafetyBackup[];
}

/**
 * Has a follower take what its leader has now, although that may be less than the follower has: somebody has decided so.
 * What it has is backed up first, verified or at least looked at; returns once it is in sync.
 */
export async function resync(
  platform: Platform,
  { name, deadlineMs }: { readonly name: string; readonly deadlineMs: number },
  task: Task,
): Promise<Resynced> {
  const record = await platform.load(name);
  if (record === undefined) throw await noSuchAddon(platform, name, "See what there is: redis-addon list");
  const address = await leaderAddress(platform, record);
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

async function leaderAddress(platform: Platform, record: AddonRecord): Promise<LeaderAddress> {
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
  return addressAsLeader(leader);
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
