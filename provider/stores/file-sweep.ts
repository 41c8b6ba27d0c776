import { open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { temporaryBeside } from "../system/files";
import { PROBE } from "./file-probe";

/** A put that is this old has been interrupted: nothing writes to a file for so long without touching it. */
const DEAD_AFTER_MS = 24 * 60 * 60_000;

/** Removes what interrupted puts have left in a folder of a store, and interrupted probes in the store's own. */
export async function sweepFolder(root: string, folder: string, signal: AbortSignal): Promise<number> {
  const ofPuts = await sweep(join(root, folder), /^\..+\.tmp$/, signal);
  return ofPuts + (await sweep(root, PROBE, signal));
}

async function sweep(folder: string, leftover: RegExp, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted();
  const temporaries = (await readdir(folder).catch(() => [])).filter((name) => leftover.test(name));
  let removed = 0;
  let diskTime: number | undefined;
  for (const name of temporaries) {
    signal.throwIfAborted();
    const path = join(folder, name);
    const modifiedAt = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Infinity,
    );
    if (Date.now() - modifiedAt <= DEAD_AFTER_MS) continue;
    diskTime ??= await timeOfDisk(folder);
    if (diskTime - modifiedAt <= DEAD_AFTER_MS) continue;
    removed += await rm(path).then(
      () => 1,
      () => 0,
    );
  }
  return removed;
}

/**
 * What a file is dated that is written there now: a clock here that jumped ahead must not make dead what another
 * machine is writing to a shared disk. Long ago where that can't be told.
 */
export async function timeOfDisk(folder: string): Promise<number> {
  const path = temporaryBeside(join(folder, "clock"));
  try {
    await using file = await open(path, "wx", 0o600);
    return (await file.stat()).mtimeMs;
  } catch {
    return -Infinity;
  } finally {
    await rm(path, { force: true }).catch(() => undefined);
  }
}
