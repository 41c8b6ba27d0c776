import { parseDestination } from "../../../core/destination";
import type { Task } from "../../../core/task";
import type { Placement } from "../../../platforms/contract";
import { severalAtOnce } from "../../several-at-once";
import type { SeenClock } from "../judge/clock";

const PATIENCE_MS = 5_000;

/** How far the clocks of the stores elsewhere are ahead; those that don't answer in time are left out: backups tell. */
export async function storeClocks(
  all: readonly Placement[],
  { signal, clock }: Task,
): Promise<SeenClock["stores"]> {
  const elsewhere = all.filter(({ destination }) => parseDestination(destination).kind === "s3");
  const distinct = new Map(elsewhere.map((placement) => [placement.destination, placement]));
  const { openStore } = await import("../../../stores/open.js");
  const seen = await severalAtOnce([...distinct.values()], async ({ destination, record }) => {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    try {
      const store = await openStore(destination, record.backups?.wish.credentials);
      const before = clock.now();
      const theirs = await store.time(record.catalogKey, patience);
      const after = clock.now();
      if (!Number.isFinite(theirs)) return undefined;
      // It told a moment between the two.
      const aheadMs = theirs > after ? theirs - after : Math.min(0, theirs - before);
      return { url: store.url, aheadMs };
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  });
  return seen.filter((one) => one !== undefined);
}

/** The folders of this machine where backups go, each with whose. */
export function backupFolders(all: readonly Placement[]): ReadonlyMap<string, readonly Placement[]> {
  const folders = new Map<string, Placement[]>();
  for (const placement of all) {
    const destination = parseDestination(placement.destination);
    if (destination.kind !== "file") continue;
    folders.set(destination.folder, [...(folders.get(destination.folder) ?? []), placement]);
  }
  return folders;
}
