// Programs that need shared libraries which only the cache has.
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Moves a program to the folder libexec beside its own, and puts a script of its name in its place that becomes the
 * program, with the libraries of the folder lib beside it: the process id is the script's.
 * @param {string} program such as "<folder>/bin/redis-server"
 */
export function wrapWithLibraries(program) {
  const folder = dirname(dirname(program));
  const moved = join(folder, "libexec", basename(program));
  mkdirSync(dirname(moved), { recursive: true });
  renameSync(program, moved);
  // Relative to itself, because an installed folder is renamed when it is complete.
  const lines = [
    "#!/bin/sh",
    "here=${0%/*}/..",
    'export LD_LIBRARY_PATH="$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"',
    `exec "$here/libexec/${basename(program)}" "$@"`,
  ];
  writeFileSync(program, `${lines.join("\n")}\n`);
  chmodSync(program, 0o755);
}
