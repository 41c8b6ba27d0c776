import { execFile } from "node:child_process";
import { access, constants, readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import {
  parseVersionOutput,
  satisfies,
  type ServerVersion,
  supportProblem,
  type WantedVersion,
} from "../../core/version";
import { bareEnvironment } from "../../system/bare-environment";
import type { HomeLayout } from "./home";

const run = promisify(execFile);

/** A redis-server or valkey-server that can be executed here. */
export interface FoundServer {
  readonly path: string;
  readonly version: ServerVersion;
}

/** The servers on the PATH, in its order. */
export async function serversOnPath(environment: NodeJS.ProcessEnv = process.env): Promise<FoundServer[]> {
  const folders = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const candidates = folders.flatMap((folder) => [
    join(folder, "redis-server"),
    join(folder, "valkey-server"),
  ]);
  const found = await Promise.all([...new Set(candidates)].map(probeServer));
  return found.filter((server) => server !== undefined);
}

/** The servers that the data home keeps for its add-ons: a copy each, so that no upgrade changes one underneath. */
export async function keptServers(layout: HomeLayout): Promise<FoundServer[]> {
  const spellings = await readdir(layout.servers).catch(() => []);
  const found = await Promise.all(spellings.map((spelling) => probeServer(keptServerPath(layout, spelling))));
  return found.filter((server) => server !== undefined);
}

/**
 * The server that an add-on runs on: the present version where that is what is wanted (`7.2` keeps 7.2.4), then what is
 * kept; where nothing is wanted the first on the PATH that will do. Absent: none fits.
 */
export function chooseServer(
  wanted: WantedVersion | undefined,
  present: string | undefined,
  kept: readonly FoundServer[],
  onPath: readonly FoundServer[],
): FoundServer | undefined {
  const able = (wanted === undefined ? [...onPath, ...kept] : [...kept, ...onPath]).filter(
    ({ version }) =>
      supportProblem(version) === undefined && (wanted === undefined || satisfies(version, wanted)),
  );
  return able.find(({ version }) => version.spelling === present) ?? able[0];
}

export function keptServerPath(layout: HomeLayout, spelling: string): string {
  return join(layout.servers, spelling, "redis-server");
}

/** The server at this path; absent: there is none, or it doesn't tell its version. */
export async function probeServer(path: string): Promise<FoundServer | undefined> {
  const executable = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!executable) return undefined;
  const answer = await run(path, ["--version"], { timeout: 5000, env: bareEnvironment() }).catch(
    () => undefined,
  );
  const version = answer === undefined ? undefined : parseVersionOutput(answer.stdout);
  return version === undefined ? undefined : { path, version };
}
