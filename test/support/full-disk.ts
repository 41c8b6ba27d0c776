import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Tool } from "./tools";

export interface SmallDisk {
  /** An existing folder, absolute: what it holds is hidden for the program, which finds it empty. */
  readonly folder: string;
  readonly sizeMiB: number;
}

/**
 * The beginning of a command line that runs a program where `folder` is a small disk of its own, gone with the program:
 * `spawn(prefix[0], [...prefix.slice(1), program, ...args])`. The program's process id is the one that spawn returns.
 * Needs Linux, and the right to make a mount namespace: see `smallDisk`.
 */
export function inSmallDisk({ folder, sizeMiB }: SmallDisk): readonly [string, ...string[]] {
  const mount = `mount -t tmpfs -o size=${sizeMiB}m,mode=0700 tmpfs "$0" && exec "$@"`;
  return [...namespace(), "sh", "-c", mount, folder];
}

/** Where a file of the small disk can be read from outside, while the program with that process id runs. */
export function seenBy(pid: number, file: string): string {
  return join(`/proc/${pid}/root`, file);
}

/** For `describeWith`: whether this machine can do it. */
export const smallDisk: Tool = { name: "a small disk", path: "", ...whyNot() };

function whyNot(): { readonly unavailable?: string } {
  if (process.platform !== "linux") return { unavailable: "mount namespaces exist on Linux only" };
  const [program, ...args] = inSmallDisk({ folder: "/mnt", sizeMiB: 1 });
  const { status, stderr, error } = spawnSync(program, [...args, "true"], { encoding: "utf8" });
  return status === 0 ? {} : { unavailable: `no mount namespace: ${error?.message ?? stderr.trim()}` };
}

/** Root has the right already; anybody else gets it inside a user namespace, where the kernel allows those. */
function namespace(): readonly [string, ...string[]] {
  const asRoot = process.getuid?.() === 0;
  return ["unshare", ...(asRoot ? [] : ["--user", "--map-root-user"]), "--mount"];
}
