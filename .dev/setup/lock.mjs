// One set-up at a time for one thing. A lock is a file that holds the pid of its owner, which touches it while
// it works: so a lock left by a killed run is told from one that is held, also after its pid was given away.
import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const touchedEveryMs = 2_000;
const staleAfterMs = 30_000;

/**
 * @template T
 * @param {string} file
 * @param {{ what: string, log: (line: string) => void }} options
 * @param {() => Promise<T>} work looks again at what is to be done: another run may have done it meanwhile
 * @returns {Promise<T>}
 */
export async function withLock(file, { what, log }, work) {
  for (let waited = false; !take(file); waited = true) {
    if (isStale(file)) {
      rmSync(file, { force: true });
      continue;
    }
    if (!waited) log(`waiting for another set-up that is working on ${what} (${file})`);
    await sleep(250);
  }
  const touch = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(file, now, now);
    } catch {
      // Removed by hand: then nobody waits for it, and what it guards is still made by renaming.
    }
  }, touchedEveryMs);
  touch.unref();
  try {
    return await work();
  } finally {
    clearInterval(touch);
    rmSync(file, { force: true });
  }
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (failure) {
    if (failure.code === "EEXIST") return false;
    throw failure;
  }
}

function isStale(file) {
  try {
    const silentMs = Date.now() - statSync(file).mtimeMs;
    if (silentMs > staleAfterMs) return true;
    const owner = Number(readFileSync(file, "utf8"));
    // Just made, its pid not yet written.
    if (!owner) return false;
    process.kill(owner, 0);
    return false;
  } catch (failure) {
    return failure.code === "ESRCH";
  }
}
