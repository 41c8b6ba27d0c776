import { execFile } from "node:child_process";
import { access, readdir } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { promisify } from "node:util";

/** This process' threads, on Linux. */
const THREADS = "/proc/self/task";

/**
 * Puts this process, and what it starts from now on, behind the servers on this machine: at the lowest priority, and on
 * Linux its helping threads (the pool that compresses, the engine's own, which keep their priority otherwise) in the
 * class of what runs only while nobody else wants to. A kernel lets a thread of low priority finish its turn of some
 * milliseconds before a server that has just been asked something goes on; one of that class it interrupts. The slowest
 * hundredth of a server's answers was measured to take half as long again without it. The main thread isn't in that
 * class: it receives, and while it does a leader's fork lives.
 */
export async function stepBehindServers(): Promise<void> {
  try {
    setPriority(constants.priority.PRIORITY_LOW);
    await idleHelpers();
  } catch {
    // Some containers refuse either, and not every system has the class; the backup matters more.
  }
}

async function idleHelpers(): Promise<void> {
  // The first work for the pool starts its threads.
  await access(THREADS);
  const helpers = (await readdir(THREADS)).filter((thread) => thread !== String(process.pid));
  for (const thread of helpers) await promisify(execFile)("chrt", ["--idle", "--pid", "0", thread]);
}
