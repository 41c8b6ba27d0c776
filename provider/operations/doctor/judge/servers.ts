import { forShell } from "../../../core/for-shell";
import { some } from "../../words/shared-words";
import { type Check, notApplicable, ok, problem, warning } from "../check";

const INSTALL = "sudo apt-get install redis-server   # macOS: brew install redis";

export interface SeenServer {
  readonly path: string;
  /** `7.2.4`, `valkey-8.1.8`. */
  readonly spelling: string;
  /** Why no add-on can run on it; absent: one can. */
  readonly unsupported?: string;
}

export function judgeServers(onPath: readonly SeenServer[], kept: readonly SeenServer[]): Check {
  const seen = [
    onPath.length === 0 ? "none on the PATH" : `on the PATH: ${onPath.map(described).join(", ")}`,
    ...(kept.length === 0
      ? []
      : [`kept in the data home: ${kept.map(({ spelling }) => spelling).join(", ")}`]),
  ].join("; ");
  const able = (servers: readonly SeenServer[]) =>
    servers.some(({ unsupported }) => unsupported === undefined);
  if (able(onPath)) return ok("redis-server", seen);
  const why = onPath.find(({ unsupported }) => unsupported !== undefined)?.unsupported;
  const reason = {
    why: `${why ?? "there is no redis-server or valkey-server"}: Redis 7.0 or newer, or Valkey 8 or newer is needed`,
    remedy: INSTALL,
  };
  if (!able(kept)) return problem("redis-server", seen, reason);
  // Add-ons run on what is kept, and new ones do as well.
  return warning("redis-server", seen, reason);
}

function described({ path, spelling, unsupported }: SeenServer): string {
  return `${spelling} (${path}${unsupported === undefined ? "" : ", not supported"})`;
}

/** `path` absent: there is none. */
export function judgeCli(path: string | undefined): Check {
  if (path !== undefined) return ok("redis-cli", path);
  return warning("redis-cli", "none is found", {
    why: "redis-addon connect and the redis-cli form of an add-on's URL need one",
    remedy: "sudo apt-get install redis-tools   # macOS: brew install redis",
  });
}

export interface SeenExecutable {
  readonly addon: string;
  readonly version: string;
  readonly path: string;
  readonly runs: boolean;
}

/** Whether each add-on's server could be started again. */
export function judgeExecutables(seen: readonly SeenExecutable[]): Check {
  if (seen.length === 0) return notApplicable("executables", "there are no add-ons");
  const gone = seen.filter(({ runs }) => !runs);
  const [first] = gone;
  if (first === undefined) return ok("executables", "the server of each add-on is there");
  return problem("executables", some(gone.map(({ addon, path }) => `${addon}: ${path} does not run`)), {
    why: "a server that ends can't be started again, and its data are out of reach until it can",
    remedy: `put a redis-server or valkey-server ${first.version} on the PATH and run pulumi up; look first: ${forShell(first.path)} --version`,
  });
}
