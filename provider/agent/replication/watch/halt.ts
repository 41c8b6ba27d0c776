import { isDeepStrictEqual } from "node:util";
import type { AddonRecord } from "../../../core/facets";
import { followed, haltOf } from "../../../core/followed";
import type { Clock } from "../../../core/task";
import { authority } from "../../../core/uri";
import type { HomeLayout } from "../../../platforms/local/home";
import { readBackupState } from "../../../platforms/local/process-state";
import { readRecord } from "../../../platforms/local/records";
import { log } from "../../log";
import { replaceRecord } from "../../records/record-file";

/** How a follower stands after a load that failed. */
export interface HaltReason {
  /** About the leader's snapshot. Absent: nothing is known but that it can't be loaded. */
  readonly why: string | undefined;
  /** Whether its server has data of its own to go on with, in its memory or on its disk. */
  readonly hasData: boolean;
}

/**
 * Records that a follower follows nobody until its replication is changed, as its leader's snapshot can't be loaded:
 * each try costs the leader a fork, and this one its memory. Of an old leader that follows, until its server is. False:
 * it was told otherwise meanwhile.
 */
export async function haltReplication(
  layout: HomeLayout,
  seen: AddonRecord,
  reason: HaltReason,
  clock: Clock,
): Promise<boolean> {
  const record = await readRecord(layout, seen.name);
  if (record === undefined || haltOf(record) !== undefined) return false;
  const target = followed(record);
  if (target === undefined || !isDeepStrictEqual(target, followed(seen))) return false;
  const why = await haltWords(layout, record, reason);
  const halted = { why, since: new Date(clock.now()).toISOString() };
  const next = withHalt(record, halted);
  if (next === undefined || !(await replaceRecord(layout, record, next))) return false;
  const what = record.demoted === undefined ? "replication" : "server";
  log(`${record.name}: ${why}: it follows nobody until its ${what} is changed, and takes no writes`);
  return true;
}

function withHalt(
  { demoted, replication, ...rest }: AddonRecord,
  halted: NonNullable<ReturnType<typeof haltOf>>,
): AddonRecord | undefined {
  const declared = replication === undefined ? {} : { replication };
  if (demoted !== undefined) return { ...rest, ...declared, demoted: { ...demoted, halted } };
  return replication && { ...rest, replication: { ...replication, halted } };
}

/** An old leader that follows has no declaration of that: what may mend it is a change of its server. */
export function triedAgain<Kept extends Pick<AddonRecord, "demoted">>(record: Kept): Kept {
  if (record.demoted === undefined) return record;
  const { halted: _, ...demoted } = record.demoted;
  return { ...record, demoted };
}

async function haltWords(
  layout: HomeLayout,
  record: AddonRecord,
  { why, hasData }: HaltReason,
): Promise<string> {
  const { version } = record.server.wish;
  const leader = await leaderWords(layout, record);
  const cause = why === undefined ? "" : `: ${why}`;
  const words = `a server of version ${version} can't load the snapshot of ${leader}${cause}`;
  if (hasData) return words;
  const backup = await readBackupState(layout.addon(record.name));
  const kept =
    backup?.outcome === "backed-up"
      ? `its last backup is ${backup.detail}`
      : `see what backups there are: redis-addon backup list ${record.name}`;
  return `${words}; what it had was in its memory alone and is gone, ${kept}`;
}

async function leaderWords(layout: HomeLayout, record: AddonRecord): Promise<string> {
  const target = followed(record);
  if (target?.kind === "external") return `its leader ${authority(target.host, target.port)}`;
  const name = target?.addon ?? "";
  const leader = await readRecord(layout, name).catch(() => undefined);
  return `its leader ${name}${leader === undefined ? "" : `, of version ${leader.server.wish.version}`}`;
}
