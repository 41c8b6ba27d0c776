import { liveDefaults, needsRestart } from "./allowed-settings";
import { bindAddresses } from "./bind";
import type { AddonRecord, ServerWish } from "./facets";
import { planOf } from "./plans";
import { oldestWanted, parseSpelling, snapshotLoads } from "./version";

/** One line of redis.conf, and what a change of it takes. */
export interface Setting {
  readonly name: string;
  /** Unquoted, in the spelling that CONFIG GET answers with, so that the two can be compared. */
  readonly values: readonly string[];
  /** `live`: CONFIG SET takes it. `restart`: only a launch does. */
  readonly apply: "live" | "restart";
}

/**
 * Connections beyond the plan's: the administrator's, followers' and backups'. Redis itself keeps none in reserve, so
 * users above their plan are let in first and closed a moment later; that takes room for as many as come in between.
 * Each takes a file descriptor and up to 40 KB of the server's memory for as long as it is open.
 */
const RESERVED_CONNECTIONS = 256;

/** Every setting of an add-on's server that doesn't depend on where its files lie or whom it follows. */
export function serverSettings(record: AddonRecord): readonly Setting[] {
  const { wish } = record.server;
  const plan = planOf(wish.plan);
  return [
    restart("bind", ...bindAddresses(wish.bind)),
    restart("port", String(wish.port)),
    restart("databases", String(plan.databases)),
    live("maxmemory", String(plan.memoryBytes)),
    live("maxmemory-policy", wish.evictionPolicy),
    live("maxclients", String(plan.connections + RESERVED_CONNECTIONS)),
    ...persistenceSettings(wish.persistence),
    ...FIXED,
    ...chosenSettings(wish.settings),
  ];
}

/**
 * What a running server should have: the live ones of `serverSettings`, and the defaults of those that the program may
 * choose and has not, so that one that it no longer chooses returns to its default.
 */
export function liveSettings(record: AddonRecord): readonly Setting[] {
  const { settings, version } = record.server.wish;
  const server = parseSpelling(version);
  const defaults = server === undefined ? [] : [...liveDefaults(server)];
  return [
    ...serverSettings(record).filter((setting) => setting.apply === "live"),
    ...defaults.filter(([name]) => settings[name] === undefined).map(([name, value]) => live(name, value)),
  ];
}

/** By name, because the order in which a program writes them must not restart anything. */
function chosenSettings(settings: ServerWish["settings"]): readonly Setting[] {
  return Object.entries(settings)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => (needsRestart(name) ? restart(name, value) : live(name, value)));
}

const FIXED: readonly Setting[] = [
  // The agent is its parent and reads its log from stdout.
  restart("daemonize", "no"),
  restart("logfile", ""),
  live("protected-mode", "yes"),
  restart("enable-debug-command", "no"),
  restart("enable-module-command", "no"),
  restart("enable-protected-configs", "no"),

  // Both names stand in the backup format.
  restart("appenddirname", "appendonlydir"),
  restart("dbfilename", "dump.rdb"),
  // With save points, a snapshot that fails (a full disk, a backup) makes the server refuse writes with MISCONF.
  live("save", ""),
  live("stop-writes-on-bgsave-error", "no"),

  live("replica-read-only", "yes"),
  live("repl-diskless-sync", "yes"),
  // The default waits five seconds for more followers before it sends a snapshot; add-ons have few.
  live("repl-diskless-sync-delay", "0"),
  // A follower keeps its old data until the whole snapshot is there: a link cut in the transfer costs nothing.
  live("repl-diskless-load", "disabled"),
  live("replica-serve-stale-data", "yes"),
  // Without persistence a synced follower would keep the snapshot, and load it stale when it starts again.
  live("rdb-del-sync-files", "yes"),
  // Users may RESTORE: what they hand in is checked in full before it is used.
  live("sanitize-dump-payload", "clients"),
];

function persistenceSettings(persistence: ServerWish["persistence"]): readonly Setting[] {
  if (persistence === "none") return [live("appendonly", "no")];
  // In this order: an AOF that is turned on is forced to the disk as wished from its first line on.
  return [live("appendfsync", persistence), live("appendonly", "yes")];
}

export type ChangeNeeds =
  | { kind: "nothing" }
  /** Taken at run time; clients notice nothing. */
  | { kind: "live"; changed: readonly (keyof ServerWish)[] }
  /** The server restarts in place and keeps its data; `because` names what can't be taken at run time. */
  | { kind: "restart"; changed: readonly (keyof ServerWish)[]; because: readonly string[] }
  | { kind: "refused"; property: keyof ServerWish; cause: string; hint: string };

/** What it takes to get from one wish to another. */
export function changeNeeds(from: ServerWish, to: ServerWish): ChangeNeeds {
  const keys = Object.keys(to) as (keyof ServerWish)[];
  const changed = keys.filter((key) => !isSame(from[key], to[key]));
  if (changed.length === 0) return { kind: "nothing" };
  const refusal = refusedVersion(from.version, to.version);
  if (refusal !== undefined) return { kind: "refused", property: "version", ...refusal };

  const because: string[] = [];
  const [before, after] = [planOf(from.plan).databases, planOf(to.plan).databases];
  if (before !== after) because.push(`databases from ${before} to ${after}`);
  for (const key of ["port", "bind", "version"] as const)
    if (from[key] !== to[key]) because.push(`${key} from ${from[key]} to ${to[key]}`);
  because.push(...restartingSettings(from.settings, to.settings));
  return because.length === 0 ? { kind: "live", changed } : { kind: "restart", changed, because };
}

function restartingSettings(from: ServerWish["settings"], to: ServerWish["settings"]): readonly string[] {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
  return names
    .filter((name) => needsRestart(name) && from[name] !== to[name])
    .map((name) => `${name} from ${from[name] ?? "its default"} to ${to[name] ?? "its default"}`);
}

/** Of values as records hold them: texts, numbers, and objects of those whose keys may stand in any order. */
function isSame(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function refusedVersion(from: string, to: string): { cause: string; hint: string } | undefined {
  if (from === to) return undefined;
  const [old, wanted] = [parseSpelling(from), oldestWanted(to)];
  const hint = `keep version ${from}, or make a new add-on`;
  if (wanted === undefined) return { cause: `${to} is no version such as 7.2.4 or valkey-8.1.8`, hint };
  if (old === undefined || snapshotLoads(old, wanted)) return undefined;
  return { cause: `a server of version ${to} can't load the data of version ${from}`, hint };
}

/** Where this machine reaches a server that is bound to these addresses. */
export function reachableHost(bind: string): string {
  const [first = "127.0.0.1"] = bindAddresses(bind);
  if (first === "0.0.0.0" || first === "*") return "127.0.0.1";
  return first === "::" ? "::1" : first;
}

function live(name: string, ...values: string[]): Setting {
  return { name, values, apply: "live" };
}

function restart(name: string, ...values: string[]): Setting {
  return { name, values, apply: "restart" };
}
