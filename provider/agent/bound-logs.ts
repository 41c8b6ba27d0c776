import { createReadStream, createWriteStream } from "node:fs";
import { stat, truncate } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { Clock } from "../core/task";
import type { HomeLayout } from "../platforms/local/home";
import { olderPart } from "../platforms/local/log/read-source";
import { recordedNames } from "../platforms/local/records";
import { log } from "./log";

const LIMIT_BYTES = 10 * 1024 ** 2;
const LOOK_EVERY_MS = 60_000;

/** Keeps the agent's log and those of all servers from filling the disk, until the signal. */
export async function boundLogs(layout: HomeLayout, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const names = await recordedNames(layout).catch(() => []);
    for (const path of [layout.agentLog, ...names.map((name) => layout.addon(name).log)])
      await boundLog(path).catch((error: unknown) => {
        log(`${path} can't be cut: ${String(error)}`);
      });
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
}

/**
 * Cuts a log that has grown too long, and keeps what it held beside it, in place of what was kept before. Who writes it
 * holds the file open and appends, so the file stays, and what is written while the last of it is copied may be lost.
 */
export async function boundLog(path: string, limitBytes = LIMIT_BYTES): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size < limitBytes) return;
  await pipeline(createReadStream(path), createWriteStream(olderPart(path), { mode: 0o600 }));
  await truncate(path);
}
