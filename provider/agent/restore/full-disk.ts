import { Failure } from "../../core/errors";
import type { HomeLayout } from "../../platforms/local/home";
import { readRecord } from "../../platforms/local/records";
import { freeBytes } from "../../system/free-bytes";

/** Less than a job's words and the notes beside an add-on take. */
const FULL_BELOW_BYTES = 64 * 1024;
const UNTOUCHED = "Nothing was replaced. Free some space on it, and run it again";

/** Fails where nothing can be written down any more: what is begun then is neither noted nor told of. */
export async function requireSomeSpace(layout: HomeLayout, name: string): Promise<void> {
  if (await isFull(layout)) throw fullDisk(layout, name, UNTOUCHED);
}

/**
 * Why a restore failed, in words that name the disk where that is full: what can't write says so in the system's words,
 * and a job that can't even write those says nothing. To be asked before what it has left is removed.
 */
export async function namingFullDisk(layout: HomeLayout, name: string, error: unknown): Promise<unknown> {
  if (!(await isOfFullDisk(layout, error))) return error;
  const { restoring } = (await readRecord(layout, name).catch(() => undefined)) ?? {};
  return fullDisk(
    layout,
    name,
    restoring === undefined ? UNTOUCHED : "Free some space on it: what was begun is completed then",
  );
}

async function isOfFullDisk(layout: HomeLayout, error: unknown): Promise<boolean> {
  if (error instanceof Failure) return error.code === "job-killed" && (await isFull(layout));
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

async function isFull({ root }: HomeLayout): Promise<boolean> {
  return (await freeBytes(root).catch(() => Infinity)) < FULL_BELOW_BYTES;
}

function fullDisk({ root }: HomeLayout, subject: string, hint: string): Failure {
  return new Failure({
    ...{ code: "no-space", operation: "restore", subject, transient: true },
    cause: `the disk of the data home ${root} is full`,
    hint,
  });
}
