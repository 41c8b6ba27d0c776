import { restartEstimateMs } from "./resize";

/** A backup's own time, however little there is to keep: a job of its own, and a scratch server that proves it. */
const LEAST_BACKUP_MS = 1_500;
/**
 * What is kept in a second, proved by loading it both ways: twice what was measured on two cores that had many times as
 * much to do as they could.
 */
const KEPT_BYTES_PER_MS = (30 * 1024 ** 2) / 1000;

/**
 * About how long users can't write while an add-on's data are replaced, in milliseconds: what it holds is backed up and
 * proved while nothing changes it, then the server starts anew with the backup's data.
 */
export function replacementEstimateMs(sizes: {
  /** Of what is replaced; absent: it holds nothing. */
  readonly heldBytes: number | undefined;
  /** Memory that the backup's data take; absent: not known. */
  readonly restoredBytes: number | undefined;
}): number {
  const { heldBytes, restoredBytes = 0 } = sizes;
  const safetyMs = heldBytes === undefined ? 0 : LEAST_BACKUP_MS + Math.ceil(heldBytes / KEPT_BYTES_PER_MS);
  const usage = { usedMemoryBytes: restoredBytes, keysByDatabase: {}, connections: 0 };
  return safetyMs + restartEstimateMs(usage);
}
