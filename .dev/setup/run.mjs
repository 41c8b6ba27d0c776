// Running other programs: quietly where they only matter if they fail, and finding them on the PATH.
import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Its message holds all that the program printed. */
export class ProgramFailed extends Error {}

/**
 * Runs a program to its end without showing its output; on failure the error holds all of it.
 * @param {string} command @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<string>} what it printed on stdout
 */
export function run(command, args, { cwd, env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let all = "";
    child.stdout.setEncoding("utf8").on("data", (text) => ((stdout += text), (all += text)));
    child.stderr.setEncoding("utf8").on("data", (text) => (all += text));
    child.on("error", (cause) => reject(new ProgramFailed(`${command} can't be run: ${cause.message}`)));
    child.on("close", (code, signal) => {
      if (code === 0) return resolve(stdout);
      const how = signal ? `was ended by ${signal}` : `failed with exit code ${code}`;
      reject(new ProgramFailed(`\`${[command, ...args].join(" ")}\` ${how}:\n${all.trimEnd()}`));
    });
  });
}

/** The first executable of that name on a PATH, or undefined. */
export function which(name, path = process.env.PATH ?? "") {
  for (const folder of path.split(delimiter)) {
    if (folder && isExecutable(join(folder, name))) return join(folder, name);
  }
  return undefined;
}

export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The part of a program's version output that `pattern` captures; undefined where it doesn't run or match. */
export function versionOf(command, args, pattern) {
  const { stdout, status } = spawnSync(command, args, { encoding: "utf8", timeout: 10_000 });
  return status === 0 ? stdout.match(pattern)?.[1] : undefined;
}

/** Was this module started as a program (and not imported)? */
export function isMain(meta) {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(meta.url);
}
