import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmod, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { syncPath } from "./files";

const run = promisify(execFile);

/**
 * Copies a program so that it can be executed at once; `accept` may look at the copy before it gets its name.
 *
 * A process of its own copies: were this one to hold the file open for writing, any child that it forks in that moment
 * would inherit it, and executing the copy would fail with ETXTBSY.
 */
export async function copyExecutable(
  source: string,
  target: string,
  accept: (copy: string) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const copy = `${target}.${randomUUID()}.tmp`;
  try {
    await run("cp", ["-L", source, copy]);
    await chmod(copy, 0o755);
    await accept(copy);
    await syncPath(copy);
    await rename(copy, target);
    await syncPath(dirname(target));
  } catch (error) {
    await rm(copy, { force: true });
    throw error;
  }
}
