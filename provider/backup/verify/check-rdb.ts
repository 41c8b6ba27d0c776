import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Counts } from "../../core/verification";
import { bareEnvironment } from "../../system/bare-environment";

/**
 * What redis-check-rdb says of a snapshot. `unable`: it can't read it, or isn't there, which says nothing about the
 * snapshot.
 */
export type CheckedRdb =
  | { readonly kind: "sound"; readonly counts: Counts; readonly endsAtBytes: number }
  | { readonly kind: "damaged" | "unable"; readonly why: string };

const KEPT_OUTPUT = 64 * 1024;
const CANNOT_TELL = /Can't handle RDB format|Server crash|Out Of Memory|failed allocating|Cannot allocate/i;

/**
 * Every server's executable is redis-check-rdb as well, if it is called so. It reads a snapshot once, key by
 * key, at the priority of this process.
 */
export async function checkRdb(executable: string, file: string, signal: AbortSignal): Promise<CheckedRdb> {
  const child = spawn(executable, [file], {
    argv0: "redis-check-rdb",
    stdio: ["ignore", "pipe", "pipe"],
    env: bareEnvironment(),
    signal,
    killSignal: "SIGKILL",
  });
  let output = "";
  const read = (chunk: Buffer) => (output = (output + chunk.toString("latin1")).slice(-KEPT_OUTPUT));
  child.stdout.on("data", read);
  child.stderr.on("data", read);
  try {
    await once(child, "close");
  } catch (error) {
    signal.throwIfAborted();
    return { kind: "unable", why: error instanceof Error ? error.message : String(error) };
  }
  return judged(child.exitCode, output);
}

function judged(code: number | null, output: string): CheckedRdb {
  const number = (pattern: RegExp) => {
    const text = pattern.exec(output)?.[1];
    return text === undefined ? undefined : Number(text);
  };
  const keys = number(/^\[info\] (\d+) keys read$/m);
  const expires = number(/^\[info\] (\d+) expires$/m);
  const functions = number(/^\[info\] (\d+) functions$/m);
  const endsAtBytes = number(/^\[offset (\d+)\] \\o\/ RDB looks OK! \\o\/$/m);
  if (code === 0 && keys !== undefined && expires !== undefined && endsAtBytes !== undefined)
    return {
      kind: "sound",
      counts: { keys, expires, ...(functions === undefined ? {} : { functions }) },
      endsAtBytes,
    };
  const why = /--- RDB ERROR DETECTED ---\n(\[offset \d+\] .+)$/m.exec(output)?.[1];
  return code === 1 && why !== undefined && !CANNOT_TELL.test(output)
    ? { kind: "damaged", why: `redis-check-rdb says "${why.slice(0, 200)}"` }
    : { kind: "unable", why: why ?? "it is no redis-check-rdb" };
}
