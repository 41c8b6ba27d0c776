import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import type { Client } from "./clients";
import { serverOf } from "./matrix";
import { findTool, pathOf, type Tool } from "./tools";

/** The redis-cli or valkey-cli of each version that brings one: the wheel of Valkey 9 holds its server alone. */
export const clis: readonly Tool[] = [
  beside(serverOf("Redis 6.2"), "redis-cli"),
  // Everyday Redis comes without; this is the distribution's, of 7.0 on Debian 12.
  findTool("redis-cli"),
  beside(serverOf("Redis 7.2"), "redis-cli"),
  beside(serverOf("Redis 7.4"), "redis-cli"),
  beside(serverOf("Valkey 8"), "valkey-cli"),
];

/** Runs it once for each round trip, as `redis-cli -u <url>`, with the commands on stdin. */
export function cliClient(tool: Tool): Client {
  return {
    name: tool.name,
    async roundTrip(url, key, value) {
      const printed = await run(
        pathOf(tool),
        ["-u", url, "--no-auth-warning"],
        `SET ${key} ${value}\nGET ${key}\n`,
      );
      const [set, read, ...more] = printed.split("\n");
      // Newer ones end with exit code 0 after a failed login, too.
      if (set !== "OK" || more.join("") !== "") throw new Error(printed);
      return read === undefined || read === "" ? null : read;
    },
  };
}

function run(program: string, args: readonly string[], stdin: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // A password in the environment would be tried before the URL's.
    const options = { env: { PATH: process.env["PATH"] ?? "" }, timeout: 20_000 };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(`${stdout}${stderr}`);
      else reject(new Error(`${stdout}${stderr}`, { cause: error }));
    });
    child.stdin?.end(stdin);
  });
}

function beside(server: Tool, program: string): Tool {
  const name = `${program} of ${server.name}`;
  return { ...server, name, path: server.path === "" ? "" : join(dirname(server.path), program) };
}
