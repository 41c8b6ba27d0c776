import { memoryText } from "./memory-size";
import type { Manifest } from "./manifest";
import { PLAN_NAMES, planOf } from "./plans";
import type { Counts } from "./verification";
import { serversThatLoad, type SnapshotOrigin } from "./version";

/** Something that stands against restoring a backup. Its words are a Failure's: cause without a full stop, hint what to do. */
export interface RestoreProblem {
  readonly code: "snapshot-format" | "too-few-databases" | "too-little-memory" | "too-little-disk";
  /** `refuse`: it would fail, or lose data. `warn`: it works, and somebody should know. */
  readonly severity: "refuse" | "warn";
  readonly cause: string;
  readonly hint: string;
}

/** What a manifest says that a restore depends on. */
export type RestorableManifest = Pick<
  Manifest,
  "server" | "rdb" | "databases" | "usedMemoryBytes" | "keyspace"
> & { readonly files: FileSizes };

/** Where a backup's data shall go. What is absent is not compared. */
export interface RestoreTarget {
  readonly manifest: RestorableManifest;
  /** The server's, as records spell it. */
  readonly version?: string | undefined;
  /** How many the server has. */
  readonly databases?: number | undefined;
  /** Redis's maxmemory; 0: no limit. */
  readonly maxmemoryBytes?: number | undefined;
  /** Redis's maxmemory-policy. */
  readonly evictionPolicy?: string | undefined;
  /** On the disk where the data shall lie. */
  readonly freeBytes?: number | undefined;
  /** What a scratch server counted; absent: what the leader said of itself before the snapshot counts. */
  readonly counts?: Pick<Counts, "databases"> | undefined;
}

/** What stands against it, by a backup's manifest alone: the same for a preview and for the restore itself. */
export function restoreProblems(target: RestoreTarget): readonly RestoreProblem[] {
  return [format(target), databases(target), memory(target), disk(target)].filter(
    (problem) => problem !== undefined,
  );
}

function format({ manifest, version }: RestoreTarget): RestoreProblem | undefined {
  if (version === undefined || serversThatLoad(manifest, [{ version }]).length > 0) return undefined;
  return formatProblem(manifest, [version]);
}

/** That none of these servers loads it, and which ones would. */
export function formatProblem(manifest: SnapshotOrigin, versions: readonly string[]): RestoreProblem {
  const { server, rdb } = manifest;
  const here = versions.length === 0 ? "no server here" : `a server of version ${versions.join(" or ")}`;
  return {
    code: "snapshot-format",
    severity: "refuse",
    cause: `${here}${versions.length === 0 ? " loads" : " does not load"} what ${PRODUCTS[server.name]} ${server.version} wrote (${rdb.magic})`,
    hint: `What loads it: ${versionsThatLoad(manifest)}`,
  };
}

const PRODUCTS = { redis: "Redis", valkey: "Valkey" } as const;
/** One version of each line whose snapshots differ from those of the line before. */
const LINES = { redis: ["7.0.0", "7.2.0", "7.4.0", "8.0.0"], valkey: ["8.0.0", "9.0.0"] } as const;

/** `Redis 7.0.15 and newer, Valkey 8.0 and newer`. */
function versionsThatLoad(origin: SnapshotOrigin): string {
  const { name, version } = origin.server;
  const other = name === "redis" ? "valkey" : "redis";
  const lines = LINES[other];
  const fit = lines.filter((line) => {
    const spelling = other === "valkey" ? `valkey-${line}` : line;
    return serversThatLoad(origin, [{ version: spelling }]).length > 0;
  });
  const short = (line: string | undefined) => `${PRODUCTS[other]} ${line?.replace(/\.0$/, "")}`;
  const others =
    fit.length > 0 && fit.at(-1) === lines.at(-1) ? [`${short(fit[0])} and newer`] : fit.map(short);
  const own = /^\d+\.\d+\.\d+$/.test(version)
    ? `${PRODUCTS[name]} ${version} and newer`
    : `a ${PRODUCTS[name]} that reads ${origin.rdb.magic}`;
  return [own, ...others].join(", ");
}

function databases({ manifest, databases: has, counts }: RestoreTarget): RestoreProblem | undefined {
  if (has === undefined) return undefined;
  const used = counts?.databases ?? manifest.keyspace?.databases;
  if (used === undefined) {
    const configured = manifest.databases ?? 0;
    if (configured <= has) return undefined;
    return {
      code: "too-few-databases",
      severity: "warn",
      cause: `the backup is of a server with ${configured} databases, the add-on has ${has}, and nothing says which of them hold keys`,
      hint: databasesHint(configured),
    };
  }
  return databasesProblem(Math.max(0, ...Object.keys(used).map(Number)), has);
}

/** That a server with so many databases lacks the highest one that holds keys; absent: it has it. */
export function databasesProblem(highest: number, has: number): RestoreProblem | undefined {
  if (highest < has) return undefined;
  return {
    code: "too-few-databases",
    severity: "refuse",
    // A server ends while it loads keys of a database that it hasn't.
    cause: `the backup has keys in database ${highest}, and the add-on has ${has === 1 ? "database 0 only" : `databases 0 to ${has - 1} only`}`,
    hint: databasesHint(highest + 1),
  };
}

function databasesHint(need: number): string {
  const own = `a plan of your own: { memory, connections, databases: ${need} }`;
  const plan = PLAN_NAMES.find((name) => planOf(name).databases >= need);
  return plan === undefined ? `Choose ${own}` : `Choose the plan ${plan} or a larger one, or ${own}`;
}

/**
 * A full server may tell a little more than its limit, for buffers that don't count towards it: its own backup must
 * come back.
 */
const TOLERANCE = 1.05;

/** Whether data that took so much are more than what a server with that limit (0: none) takes. */
export function exceedsMemory(usedBytes: number, limitBytes: number): boolean {
  return limitBytes > 0 && usedBytes > limitBytes * TOLERANCE;
}

function memory(target: RestoreTarget): RestoreProblem | undefined {
  const { manifest, maxmemoryBytes: limit = 0, evictionPolicy = "noeviction" } = target;
  const used = manifest.usedMemoryBytes ?? 0;
  if (limit === 0 || used <= limit) return undefined;
  const full =
    evictionPolicy === "noeviction"
      ? "it would refuse every write that needs memory"
      : `with the eviction policy ${evictionPolicy} it would delete keys`;
  return {
    code: "too-little-memory",
    severity: exceedsMemory(used, limit) ? "refuse" : "warn",
    cause: `the backup's data took ${memoryText(used)} of memory, and the add-on has ${memoryText(limit)}: ${full}`,
    hint: "Choose a plan with more memory",
  };
}

/** What a server that loads a backup's files writes of its own, beside them. */
const DISK_MARGIN_BYTES = 16 * 1024 * 1024;

type FileSizes = readonly { readonly sizeBytes: number }[];

/** What a backup's files take on a disk where a server loads them. */
export function diskNeededBytes(files: FileSizes): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, DISK_MARGIN_BYTES);
}

function disk({ manifest, freeBytes }: RestoreTarget): RestoreProblem | undefined {
  if (freeBytes === undefined) return undefined;
  return diskProblem(manifest.files, freeBytes);
}

/** That these files don't fit where so many bytes are left; absent: they do. */
export function diskProblem(files: FileSizes, freeBytes: number): RestoreProblem | undefined {
  const needed = diskNeededBytes(files);
  if (needed <= freeBytes) return undefined;
  return {
    code: "too-little-disk",
    severity: "refuse",
    cause: `the backup's files take ${memoryText(needed)} on the disk, and it has ${memoryText(freeBytes)} left`,
    hint: "Free some space on it",
  };
}
