import { spawnSync } from "node:child_process";
import { findRedisServer } from "./redis-server";
import { describeWith, findTool, type Tool } from "./tools";

/**
 * The servers that backups must be right on, in the order of their snapshots' formats: five in exact versions, and the
 * one that set-up chose for everyday use (Redis 7.0.15 unless the machine has another). Start one with
 * `startRedisServer({ executable: server.path })`.
 */
export const matrix: readonly Tool[] = [
  findTool("Redis 6.2"),
  everyday(),
  findTool("Redis 7.2"),
  findTool("Redis 7.4"),
  findTool("Valkey 8"),
  findTool("Valkey 9"),
];

/** The server of the matrix whose name begins so: "Redis 7.2". */
export function serverOf(beginning: string): Tool {
  const server = matrix.find(({ name }) => name.startsWith(beginning));
  if (server === undefined) throw new Error(`the matrix has no ${beginning}`);
  return server;
}

/** One group of tests for each server; for one that is lacking they are skipped, with CI=true they fail. */
export function describeMatrix(body: (server: Tool) => void): void {
  for (const server of matrix) describeWith([server], server.name, () => body(server));
}

function everyday(): Tool {
  const path = findRedisServer();
  // "Redis server v=7.0.15 sha=…", "Valkey server v=8.1.8 sha=…"
  const [, kind, version] = /^(\w+) server v=(\S+)/.exec(String(spawnSync(path, ["--version"]).stdout)) ?? [];
  return { name: `${kind} ${version}`, path };
}
