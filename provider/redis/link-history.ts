import type { SyncStatus } from "../core/status";
import { isSet, numberIn, type Info } from "./info";

/** What one look at a link says of it. */
interface LinkLook {
  readonly status: SyncStatus;
  readonly follower: Info;
  /** Absent where it can't be asked. */
  readonly leader?: Info | undefined;
}

/** Transfers of a snapshot that ended before it was whole, and what tells why. */
export interface BrokenTransfers {
  /** At least; short ones show in the leader's count of snapshots alone. */
  readonly times: number;
  /** The most that was seen to have arrived of one of them. */
  readonly afterBytes: number;
  /**
   * How many clients the leader has turned away since then for what it had to hold back for them; absent: it doesn't tell
   * (Redis before 7.4).
   */
  readonly turnedAway?: number | undefined;
  /** How much the leader has written since the first look; absent: it doesn't tell. */
  readonly writtenBytes?: number | undefined;
}

/** What was seen of a link so far: what INFO says is only how it is now. */
export interface LinkHistory {
  look(seen: LinkLook): void;
  /** Absent: none was seen. */
  broken(): BrokenTransfers | undefined;
  /** The follower's `unexpected_error_replies` when the link came up: it counts for the process's life. */
  errorsBefore(): number | undefined;
}

export function linkHistory(): LinkHistory {
  let seen = 0;
  let afterBytes = 0;
  let transfer: number | undefined;
  let errors: { readonly run: string | undefined; readonly before: number | undefined } | undefined;
  let first: Info | undefined;
  let last: Info | undefined;

  return {
    look({ status, follower, leader }) {
      const isUp = follower.get("master_link_status") === "up";
      // While the link is down the leader says nothing that could fail here. The first look has nothing to compare with.
      const run = follower.get("run_id");
      if (!isUp || errors?.run !== run)
        errors = { run, before: numberIn(follower, "unexpected_error_replies") };
      first ??= leader;
      last = leader ?? last;
      const doneBytes = receivedBytes(status);
      const isAnother = transfer !== undefined && doneBytes !== undefined && doneBytes < transfer;
      const isOver = doneBytes === undefined && !isUp && !isSet(follower, "loading");
      if (transfer !== undefined && (isAnother || isOver)) {
        seen += 1;
        afterBytes = Math.max(afterBytes, transfer);
      }
      transfer = doneBytes;
    },
    broken: () => {
      // The last one may be under way.
      const times = Math.max(seen, (grown(first, last, "sync_full") ?? 0) - 1);
      if (times <= 0) return undefined;
      return {
        times,
        afterBytes,
        turnedAway: grown(first, last, "client_output_buffer_limit_disconnections"),
        writtenBytes: grown(first, last, "master_repl_offset"),
      };
    },
    errorsBefore: () => errors?.before,
  };
}

/** Absent: no transfer is under way. */
function receivedBytes(status: SyncStatus): number | undefined {
  if (status.state === "waiting") return 0;
  return status.state === "syncing" && !status.catchingUp ? status.doneBytes : undefined;
}

function grown(first: Info | undefined, last: Info | undefined, field: string): number | undefined {
  // Of a leader that was started anew in between, nothing can be said.
  if (first === undefined || last === undefined || first.get("run_id") !== last.get("run_id"))
    return undefined;
  const [before, after] = [numberIn(first, field), numberIn(last, field)];
  return before === undefined || after === undefined ? undefined : Math.max(0, after - before);
}
