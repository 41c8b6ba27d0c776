import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { temporaryBeside } from "../system/files";
import { putFile } from "./file-put";

const NAME = "redis-addon-probe";

/** What a probe that was killed has left in a store's own folder: its file, and that file's temporary. */
export const PROBE = new RegExp(`^\\.{1,2}${NAME}\\..+\\.tmp$`);

/**
 * Finds out whether a folder can keep backups, by all that a put does there: hours of a snapshot must not come to
 * nothing because it is read-only, is no folder, is full, or knows no hard links. What went well is remembered.
 */
export function probing(root: string): (signal: AbortSignal) => Promise<void> {
  let works = false;
  return async (signal) => {
    signal.throwIfAborted();
    if (works) return;
    await probe(root, signal);
    works = true;
  };
}

async function probe(root: string, signal: AbortSignal): Promise<void> {
  const path = temporaryBeside(join(root, NAME));
  const source = Readable.from([Buffer.from("probe")], { objectMode: false });
  try {
    await putFile(path, source, { ifAbsent: true, signal }, root);
  } finally {
    // What can't be removed now is swept later.
    await rm(path, { force: true }).catch(() => undefined);
  }
}
