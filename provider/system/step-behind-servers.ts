import { execFile } from "node:child_process";
import { access, readdir } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { promisify } from "node:util";

/** This process' threads, on Linux. */
const THREADS = "/proc/self/task";

/** Whether this process is one that stands back. */
let hasSteppedBehind = false;

/**
 * Puts this process, and what it starts from now on, behind the servers on this machine: at the lowest priority, and on
 * Linux its helping threads (the pool that compresses, the engine's own, which keep their priority otherwise) in the
 * class of what runs only while nobody else wants to. A kernel lets a thread of low priority finish its turn of some
 * milliseconds before a server that has just been asked something goes on; one of that class it interrupts. The slowest
 * hundredth of a server's answers was measured to take half as long again without it. The main thread isn't in that
 * class yet: it receives, and while it does a leader's fork lives.
 */
export async function stepBehindServers(): Promise<void> {
  hasSteppedBehind = true;
  await asFarAsAllowed(async () => {
    setPriority(constants.priority.PRIORITY_LOW);
    // The first work for the pool starts its threads.
    await access(THREADS);
    const helpers = (await readdir(THREADS)).filter((thread) => thread !== String(process.pid));
    for (const thread of helpers) await makeIdle(thread);
  });
}

/**
 * Puts the main thread, and what the process starts from now on, into that class as well: no server waits for it any
 * more. Nothing happens in a process that doesn't stand back.
 */
export async function stepBehindEverybody(): Promise<void> {
  if (hasSteppedBehind) await asFarAsAllowed(() => makeIdle(String(process.pid)));
}

/** Some containers refuse it, and not every system has the class; the backup matters more. */
async function asFarAsAllowed(step: () => Promise<unknown>): Promise<void> {
  await step().catch(() => undefined);
}

function makeIdle(thread: string): Promise<unknown> {
  return promisify(execFile)("chrt", ["--idle", "--pid", "0", thread]);
}
