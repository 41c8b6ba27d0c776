import type { SyncStatus } from "../core/status";
import { isSet, numberIn, type Info } from "./info";

interface SyncEvidence {
  readonly follower: Info;
  /** Absent where it can't be read. */
  readonly leader?: Info | undefined;
  /** `unexpected_error_replies` when the link came up: it counts for the process's life. */
  readonly unexpectedErrorsBefore?: number | undefined;
}

/** More than this behind is not synced. */
const LAG_LIMIT_BYTES = 1024 ** 2;
/** A leader pings every 10 s (repl-ping-replica-period) when nothing is written. */
const SILENCE_LIMIT_SECONDS = 15;

/** What a follower's INFO, with its leader's where it may be read, says about the two being in sync. */
export function classifySync(evidence: SyncEvidence): SyncStatus {
  const { follower, leader } = evidence;
  if (isSet(follower, "loading")) return loading(follower);
  if (follower.get("role") !== "slave") return { state: "broken", why: "it follows nobody" };
  const common = measured(follower, leader);
  if (isSet(follower, "master_sync_in_progress")) return { ...receiving(follower, leader), ...common };
  if (follower.get("master_link_status") !== "up") return { state: "connecting", ...common };

  const errors = numberIn(follower, "unexpected_error_replies") ?? 0;
  // Redis goes on, link up and offsets equal, when a command of the leader fails here: nothing else tells.
  if (errors > (evidence.unexpectedErrorsBefore ?? errors))
    return { state: "broken", why: "commands of the leader failed here, so the two differ", ...common };
  if ((common.secondsSinceIo ?? 0) > SILENCE_LIMIT_SECONDS)
    return {
      state: "connecting",
      why: `the leader has been silent for ${common.secondsSinceIo} s`,
      ...common,
    };
  const behind = common.lagBytes ?? unappliedBytes(follower);
  if (behind > LAG_LIMIT_BYTES) return { state: "syncing", catchingUp: true, doneBytes: 0, ...common };
  return { state: "synced", durable: isDurable(follower), ...common };
}

/**
 * Whether everything that the server has would survive a kill -9. After a full sync or a promotion the AOF is written
 * anew; until that is done, a start would load the old one.
 */
export function isDurable(info: Info): boolean {
  if (!isSet(info, "aof_enabled")) return true;
  const rewriting = isSet(info, "aof_rewrite_in_progress") || isSet(info, "aof_rewrite_scheduled");
  return !rewriting && info.get("aof_last_bgrewrite_status") === "ok";
}

/** Received and not yet applied; absent before Redis 7.0, whose followers tell only what they have applied. */
function unappliedBytes(follower: Info): number {
  const applied = numberIn(follower, "slave_repl_offset") ?? 0;
  return Math.max(0, (numberIn(follower, "slave_read_repl_offset") ?? applied) - applied);
}

/** In words and figures, for a line of output. */
export function syncWords(status: SyncStatus): string {
  const step = syncStep(status);
  if (status.state !== "syncing" || status.catchingUp) return step;
  const { doneBytes, percent, estimated } = status;
  const share = percent === undefined ? "" : ` (${estimated ? "~" : ""}${percent} %)`;
  return `${step}, ${mebibytes(doneBytes)}${share}`;
}

/** The same without the bytes, for progress that tells them beside it. */
export function syncStep(status: SyncStatus): string {
  switch (status.state) {
    case "connecting":
      return status.why === undefined ? "connecting to the leader" : `connecting: ${status.why}`;
    case "waiting":
      return "waiting for the leader's snapshot";
    case "loading":
      return status.percent === undefined ? "loading the data" : `loading the data, ${status.percent} %`;
    case "synced":
      return status.durable ? "synced" : "synced, writing the data to disk";
    case "broken":
      return `broken: ${status.why}`;
    case "syncing":
      return status.catchingUp ? "catching up with the leader" : "receiving the leader's snapshot";
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

function loading(follower: Info): SyncStatus {
  const percent = numberIn(follower, "loading_loaded_perc");
  return { state: "loading", ...(percent === undefined ? {} : { percent: Math.floor(percent) }) };
}

function receiving(follower: Info, leader: Info | undefined): SyncStatus {
  const doneBytes = numberIn(follower, "master_sync_read_bytes") ?? 0;
  if (doneBytes <= 0) return { state: "waiting" };
  const announced = numberIn(follower, "master_sync_total_bytes") ?? 0;
  const guessed = leader === undefined ? 0 : (numberIn(leader, "used_memory_dataset") ?? 0);
  const totalBytes = announced > 0 ? announced : guessed;
  // A guess that was already passed says nothing.
  if (totalBytes <= doneBytes && announced <= 0) return { state: "syncing", catchingUp: false, doneBytes };
  const percent = Math.min(99, Math.floor((doneBytes / totalBytes) * 100));
  return {
    state: "syncing",
    catchingUp: false,
    doneBytes,
    totalBytes,
    percent,
    ...(announced > 0 ? {} : { estimated: true }),
  };
}

function measured(follower: Info, leader: Info | undefined): Pick<SyncStatus, "lagBytes" | "secondsSinceIo"> {
  const silent = numberIn(follower, "master_last_io_seconds_ago");
  const [have, applied] = [
    leader === undefined ? undefined : numberIn(leader, "master_repl_offset"),
    numberIn(follower, "slave_repl_offset"),
  ];
  // Offsets of two histories say nothing about each other.
  const comparable = leader?.get("master_replid") === follower.get("master_replid");
  return {
    ...(have !== undefined && applied !== undefined && comparable
      ? { lagBytes: Math.max(0, have - applied) }
      : {}),
    ...(silent === undefined || silent < 0 ? {} : { secondsSinceIo: silent }),
  };
}
