import { availableParallelism } from "node:os";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const LOOK_EVERY_MS = 30;
/** What may gather: with it a backup to S3 stays below 150 MiB, and collecting costs no more than with twice as much. */
const GATHERED_BYTES = 10 * 1024 * 1024;

/**
 * Prepares a process that gigabytes are about to pass through; to be called before it first touches a file.
 *
 * Buffers live for a moment, but V8 lets 64 MB of them gather before it looks, because it sees no more than their small
 * handles: so the young ones are collected earlier. And an archive is compressed on
 * Node's pool of threads: it gets one for each member in flight, and two for files.
 */
export function expectBulkBytes(): void {
  process.env["UV_THREADPOOL_SIZE"] ??= String(Math.min(8, availableParallelism()) + 2);
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options: { readonly type: "minor" }) => void;
  const look = () => {
    if (getHeapStatistics().external_memory > GATHERED_BYTES) collect({ type: "minor" });
  };
  setInterval(look, LOOK_EVERY_MS).unref();
}
