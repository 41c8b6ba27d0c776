/** Redis, or its fork under the Linux Foundation. They count their versions each for itself. */
export type Flavor = "redis" | "valkey";

export interface ServerVersion {
  readonly flavor: Flavor;
  /** `7.2.4`, as the server itself prints it. */
  readonly version: string;
  /** As records, outputs and inputs spell it: `7.2.4` for Redis, `valkey-8.1.8` for Valkey. */
  readonly spelling: string;
}

/** A version that a program asks for, perhaps without its last numbers: `7.2`, `valkey-8`. */
export interface WantedVersion {
  readonly flavor: Flavor;
  readonly numbers: readonly number[];
}

function serverVersion(flavor: Flavor, version: string): ServerVersion {
  return { flavor, version, spelling: flavor === "redis" ? version : `${flavor}-${version}` };
}

/** What `redis-server --version` or `valkey-server --version` printed; absent when it is neither. */
export function parseVersionOutput(output: string): ServerVersion | undefined {
  const match = /^(Redis|Valkey) server v=(\d+\.\d+\.\d+)/m.exec(output);
  if (match === null) return undefined;
  return serverVersion(match[1] === "Valkey" ? "valkey" : "redis", match[2] ?? "");
}

/** The version that INFO tells. A Valkey's `redis_version` is only the protocol that it is compatible with. */
export function versionFromInfo(info: ReadonlyMap<string, string>): ServerVersion | undefined {
  const valkey = info.get("valkey_version");
  if (valkey !== undefined) return serverVersion("valkey", valkey);
  const redis = info.get("redis_version");
  return redis === undefined ? undefined : serverVersion("redis", redis);
}

/** A recorded spelling, read back. */
export function parseSpelling(spelling: string): ServerVersion | undefined {
  const match = /^(valkey-)?(\d+\.\d+\.\d+)$/.exec(spelling);
  if (match === null) return undefined;
  return serverVersion(match[1] === undefined ? "redis" : "valkey", match[2] ?? "");
}

/** What a program asked for; absent when it is no version. */
export function parseWanted(text: string): WantedVersion | undefined {
  const match = /^(valkey-|redis-)?(\d+(?:\.\d+){0,2})$/.exec(text);
  if (match === null) return undefined;
  return { flavor: match[1] === "valkey-" ? "valkey" : "redis", numbers: numbersOf(match[2] ?? "") };
}

/** The oldest version that is what was asked for: `7.4` may be 7.4.0 and newer. Absent when it is no version. */
export function oldestWanted(text: string): ServerVersion | undefined {
  const wanted = parseWanted(text);
  if (wanted === undefined) return undefined;
  const [major = 0, minor = 0, patch = 0] = wanted.numbers;
  return serverVersion(wanted.flavor, `${major}.${minor}.${patch}`);
}

/** Whether a server is what was asked for: `7.2` takes every 7.2.x, `7.2.4` only itself. */
export function satisfies(found: ServerVersion, wanted: WantedVersion): boolean {
  const numbers = numbersOf(found.version);
  return found.flavor === wanted.flavor && wanted.numbers.every((number, i) => numbers[i] === number);
}

/** Negative, zero or positive; only meaningful within one flavor, between two it sorts Redis first. */
export function compareVersions(a: ServerVersion, b: ServerVersion): number {
  if (a.flavor !== b.flavor) return a.flavor === "redis" ? -1 : 1;
  const [left, right] = [numbersOf(a.version), numbersOf(b.version)];
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Why an add-on can't run on this server; absent when it can. */
export function supportProblem(found: ServerVersion): string | undefined {
  const [major = 0] = numbersOf(found.version);
  const oldest = found.flavor === "redis" ? 7 : 8;
  if (major >= oldest) return undefined;
  const name = found.flavor === "redis" ? "Redis" : "Valkey";
  return `${name} ${found.version} is too old: Redis 7.0 or newer, or Valkey 8 or newer is needed`;
}

/**
 * Whether a server of version `to` loads a snapshot that one of version `from` writes. A table rather than an order:
 * Redis 7.4 and Valkey each went their own way after the format that Redis 7.2 wrote.
 */
export function snapshotLoads(from: ServerVersion, to: ServerVersion): boolean {
  const [source, target] = [minorOf(from), minorOf(to)];
  if (from.flavor === to.flavor) {
    // Valkey 8.0 and 8.1 write one format.
    if (from.flavor === "valkey") return Math.floor(source / 100) <= Math.floor(target / 100);
    return source <= target;
  }
  if (from.flavor === "redis") return source <= 702;
  return source < 900 && target === 702;
}

/** Where a snapshot comes from, as a manifest records it. */
export interface SnapshotOrigin {
  readonly server: { readonly name: Flavor; readonly version: string };
  /** `magic` is the file's beginning: `REDIS0010`, `VALKEY080`. */
  readonly rdb: { readonly magic: string; readonly version: number };
}

/**
 * The servers that load a snapshot, the surest first: the very version that wrote it, then its own flavor before the
 * other, the nearest newer version before later ones, an older patch last. Servers whose spelling says nothing are
 * left out. Of a writer whose version says nothing the format alone decides.
 */
export function serversThatLoad<Server extends { readonly version: string }>(
  { server, rdb }: SnapshotOrigin,
  servers: readonly Server[],
): Server[] {
  const from = parseSpelling(serverVersion(server.name, server.version).spelling);
  const ranked = servers.flatMap((candidate) => {
    const to = parseSpelling(candidate.version);
    if (to === undefined || !readsFormat(to, rdb)) return [];
    if (from === undefined) return [{ candidate, to, rank: 1 }];
    if (to.spelling === from.spelling) return [{ candidate, to, rank: 0 }];
    if (!snapshotLoads(from, to)) return [];
    if (to.flavor !== from.flavor) return [{ candidate, to, rank: 2 }];
    return [{ candidate, to, rank: compareVersions(to, from) > 0 ? 1 : 3 }];
  });
  return ranked
    .sort((a, b) => a.rank - b.rank || compareVersions(a.to, b.to))
    .map(({ candidate }) => candidate);
}

/** Whether a server of this version opens an archive both ways: Redis 6.2 knows no append-only folder. */
export function opensBothWays(version: ServerVersion): boolean {
  return supportProblem(version) === undefined;
}

/** The newest format that a Redis from before a version reads; a line that is not known is believed to read its own. */
const NEWEST_FORMAT: readonly { readonly before: number; readonly format: number }[] = [
  { before: 700, format: 9 },
  { before: 702, format: 10 },
  { before: 704, format: 11 },
  { before: 800, format: 12 },
];
/** Valkey reads this one of Redis's; from version 9 on it also counts formats of its own. */
const NEWEST_OF_REDIS_IN_VALKEY = 11;
const NEWEST_OF_VALKEY_9 = 80;

function readsFormat(to: ServerVersion, { magic, version }: SnapshotOrigin["rdb"]): boolean {
  const minor = minorOf(to);
  if (magic.startsWith("VALKEY"))
    return to.flavor === "valkey" && minor >= 900 && (minor >= 1000 || version <= NEWEST_OF_VALKEY_9);
  if (to.flavor === "valkey") return version <= NEWEST_OF_REDIS_IN_VALKEY;
  const known = NEWEST_FORMAT.find(({ before }) => minor < before);
  return known === undefined || version <= known.format;
}

/**
 * Whether a server of version `to` can follow one of version `from`. Followers are also sent what isn't in the leader's
 * own files: since 9.1 a Valkey writes Redis 7.2's format for each follower that doesn't call itself Valkey 9 or newer.
 */
export function canFollow(from: ServerVersion, to: ServerVersion): boolean {
  return (
    snapshotLoads(from, to) || (readsRedis72(to) && (writesRedis72(from) || suitsFormatToFollower(from)))
  );
}

/** Valkey 8 has no format of its own. */
function writesRedis72({ flavor, version }: ServerVersion): boolean {
  return flavor === "valkey" && version.startsWith("8.");
}

function readsRedis72(version: ServerVersion): boolean {
  return version.flavor === "valkey" || minorOf(version) >= 702;
}

/** What comes after 9 is not known. */
function suitsFormatToFollower(leader: ServerVersion): boolean {
  return leader.flavor === "valkey" && minorOf(leader) >= 901 && minorOf(leader) < 1000;
}

/** `7.2.4` as 702, so that minor versions compare as numbers. */
function minorOf(version: ServerVersion): number {
  const [major = 0, minor = 0] = numbersOf(version.version);
  return major * 100 + minor;
}

function numbersOf(version: string): number[] {
  return version.split(".").map((part) => Number.parseInt(part, 10));
}
