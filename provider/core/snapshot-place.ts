import type { ServerVersion } from "./version";

/** What decides where a leader prepares the snapshot for us. Absent is what nobody could tell. */
export interface PlaceFacts {
  /** Free bytes in the folder where a leader of ours writes its snapshots; absent: it isn't ours. */
  readonly leaderFolderFreeBytes?: number | undefined;
  /** Free bytes where we keep a snapshot of unknown size. */
  readonly scratchFreeBytes?: number | undefined;
  readonly usedMemoryBytes?: number | undefined;
  readonly datasetBytes?: number | undefined;
  readonly version?: Pick<ServerVersion, "flavor" | "version"> | undefined;
  /** What CONFIG GET tells. */
  readonly settings: PlaceSettings;
  /** Somebody decided that the leader may use its disk. */
  readonly acceptDisk: boolean;
}

export const PLACE_SETTINGS = [
  "repl-diskless-sync",
  "save",
  "stop-writes-on-bgsave-error",
  "appendonly",
] as const;
export type PlaceSettings = Readonly<Partial<Record<(typeof PLACE_SETTINGS)[number], string>>>;

export type SnapshotPlace =
  /** On its disk: its size is known before the first byte, and however slowly we read, its fork has ended. */
  | { readonly kind: "disk" }
  /** Straight from its memory. */
  | { readonly kind: "memory" }
  | { readonly kind: "refused"; readonly why: "leader-would-use-disk"; readonly told: boolean }
  | { readonly kind: "refused"; readonly why: "scratch-too-small"; readonly neededBytes: number };

/** For what a server of ours appends to its own files meanwhile. */
const SPARE_BYTES = 128 * 1024 * 1024;
/** Of the data's size in memory; what doesn't shrink needs more, and then the disk is found full while receiving. */
const SNAPSHOT_SHARE = 0.7;

/**
 * A backup must never make a leader refuse writes, and a full disk does: with save points after a snapshot that failed,
 * with an append-only file at once. So only a leader whose disk we can see writes the snapshot there.
 */
export function snapshotPlace(facts: PlaceFacts): SnapshotPlace {
  const { leaderFolderFreeBytes, usedMemoryBytes, acceptDisk } = facts;
  if (leaderFolderFreeBytes !== undefined) {
    // Twice: the archive may go to the same disk.
    const roomy = usedMemoryBytes !== undefined && leaderFolderFreeBytes >= 2 * usedMemoryBytes + SPARE_BYTES;
    return roomy ? { kind: "disk" } : fromMemory(facts);
  }
  if (!writesToDisk(facts)) return fromMemory(facts);
  if (acceptDisk || !suffersFromFullDisk(facts.settings)) return { kind: "memory" };
  return {
    kind: "refused",
    why: "leader-would-use-disk",
    told: facts.settings["repl-diskless-sync"] !== undefined,
  };
}

function fromMemory(facts: PlaceFacts): SnapshotPlace {
  const { leaderFolderFreeBytes, scratchFreeBytes, datasetBytes, usedMemoryBytes } = facts;
  const snapshotBytes = Math.ceil((datasetBytes ?? usedMemoryBytes ?? 0) * SNAPSHOT_SHARE);
  // Ours may write to that same disk, and the archive may go there too.
  const neededBytes = leaderFolderFreeBytes === undefined ? snapshotBytes : 2 * snapshotBytes + SPARE_BYTES;
  return scratchFreeBytes === undefined || scratchFreeBytes >= neededBytes
    ? { kind: "memory" }
    : { kind: "refused", why: "scratch-too-small", neededBytes };
}

/** Whether it takes the way over its disk although it is asked for the one from memory. */
function writesToDisk({ settings, version }: PlaceFacts): boolean {
  const setting = settings["repl-diskless-sync"];
  if (setting !== undefined) return setting !== "yes";
  // The default since Redis 7.0, and of every Valkey.
  return version === undefined || (version.flavor === "redis" && Number.parseInt(version.version, 10) < 7);
}

/** What is not told is taken to be as servers come. */
function suffersFromFullDisk(settings: PlaceSettings): boolean {
  const stops = settings.save !== "" && settings["stop-writes-on-bgsave-error"] !== "no";
  return stops || settings.appendonly === "yes";
}
