// Programs that need shared libraries and other files which only the cache has.
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Moves a program to the folder libexec beside its own, and puts a wrapper in its place.
 * @param {string} program such as "<folder>/bin/redis-server"
 */
export function wrapWithLibraries(program) {
  const moved = join(dirname(dirname(program)), "libexec", basename(program));
  mkdirSync(dirname(moved), { recursive: true });
  renameSync(program, moved);
  writeWrapper(program);
}

/**
 * A script that becomes the program of its name in the folder libexec beside its own, with the libraries of the
 * folder lib beside it: the process id is the script's.
 * @param {string} script such as "<folder>/bin/redis-server"
 * @param {Record<string, string>} [files] variables of its environment, and the files below the folder that they name
 */
export function writeWrapper(script, files = {}) {
  // Relative to itself, because an installed folder is renamed when it is complete.
  const lines = [
    "#!/bin/sh",
    "here=${0%/*}/..",
    'export LD_LIBRARY_PATH="$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"',
    ...Object.entries(files).map(([name, file]) => `export ${name}="$here/${file}"`),
    `exec "$here/libexec/${basename(script)}" "$@"`,
  ];
  writeFileSync(script, `${lines.join("\n")}\n`);
  chmodSync(script, 0o755);
}
