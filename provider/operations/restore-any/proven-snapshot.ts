import { createReadStream } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../core/errors";
import type { Manifest } from "../../core/manifest";
import type { RestoreSource } from "../../core/restore";
import { diskNeededBytes } from "../../core/restore-fit";
import type { Task } from "../../core/task";
import type { Counts } from "../../core/verification";
import type { SnapshotFacts } from "../../redis/restore-into/look";
import type { ServedSnapshot } from "../../redis/replication/serve-transfer";
import { freeBytes } from "../../system/free-bytes";
import { openPlace } from "../backup-place";
import { proofHere } from "../proof-here";
import type { ResolvedRestore } from "../restore/restore-source";
import { fetchLone } from "./lone-snapshot";

/** A backup's snapshot, extracted and proved. Disposing it removes what was extracted. */
interface ProvenSnapshot extends AsyncDisposable {
  readonly served: ServedSnapshot;
  readonly facts: SnapshotFacts;
  /** What a server, or redis-check-rdb, counted in it; absent: nothing here could. */
  readonly counts?: Counts | undefined;
  readonly warnings: readonly string[];
}

type StoredBackup = Extract<RestoreSource, { kind: "backup" }>;

const DUMP = "dump.rdb";
const CHUNK_BYTES = 256 * 1024;

/** What a server that shall load it is asked for; absent: nothing tells before it is fetched. */
export function factsOf({ manifest, verification }: ResolvedRestore): SnapshotFacts | undefined {
  if (manifest === undefined) return undefined;
  const { server, rdb, usedMemoryBytes, keyspace } = manifest;
  const counted = verification?.counts?.databases ?? keyspace?.databases;
  return {
    ...{ server, rdb, usedMemoryBytes },
    highestDatabase: counted && Math.max(0, ...Object.keys(counted).map(Number)),
  };
}

/**
 * Fetches a backup into a scratch folder, proved byte by byte, and has a server of this machine load it where none has
 * done so. Nothing is handed to anybody that didn't pass this.
 */
export async function proveSnapshot(
  backup: ResolvedRestore,
  dataHome: string | undefined,
  task: Task,
): Promise<ProvenSnapshot> {
  const { makeScratchFolder, removeLeftovers } = await import("../../backup/verify/scratch-folder.js");
  await removeLeftovers(undefined, task.clock.now());
  const scratch = await makeScratchFolder(tmpdir());
  try {
    const folder = join(scratch.path, "archive");
    const { source, manifest } = backup;
    const proved =
      source.kind === "backup" && manifest !== undefined
        ? await fetchStored(backup, { source, manifest, scratch, folder, dataHome }, task)
        : await fetchLone(backup, { folder, dataHome }, task);
    const file = join(folder, DUMP);
    return {
      ...proved,
      served: { ...proved.served, open: () => createReadStream(file, { highWaterMark: CHUNK_BYTES }) },
      [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
    };
  } catch (error) {
    await scratch[Symbol.asyncDispose]();
    throw error;
  }
}

/** All of it but the way to its bytes, which is the same for all. */
export type Proved = Omit<ProvenSnapshot, "served" | typeof Symbol.asyncDispose> & {
  readonly served: Omit<ServedSnapshot, "open">;
};

type ScratchFolder = Awaited<
  ReturnType<typeof import("../../backup/verify/scratch-folder.js").makeScratchFolder>
>;

interface Fetching {
  readonly source: StoredBackup;
  readonly manifest: Manifest;
  readonly scratch: ScratchFolder;
  readonly folder: string;
  readonly dataHome: string | undefined;
}

/** Whoever loads it runs elsewhere, perhaps in a version that isn't here: no server here need be able to. */
async function fetchStored(backup: ResolvedRestore, fetching: Fetching, task: Task): Promise<Proved> {
  const { source, manifest, scratch, folder } = fetching;
  const { destination, catalogKey, slot, credentials, key } = source;
  const { extractBackup } = await import("../../backup/download-backup.js");
  const { holdBackup } = await import("../../backup/hold.js");
  await requireRoom(manifest, scratch.path);
  const store = await openPlace({ destination, credentials });
  await using hold = await holdBackup(store, catalogKey, slot, task);
  await extractBackup(store, catalogKey, slot, { to: folder, key }, task);
  const { verification } = backup;
  const proved = verification?.outcome === "verified" ? verification : await loadHere(fetching, task);
  const dump = manifest.files.find(({ path }) => path === DUMP);
  const facts = factsOf(backup);
  if (dump === undefined || facts === undefined) throw new Error("no manifest lacks its snapshot");
  return {
    served: { sizeBytes: dump.sizeBytes, sha256: dump.sha256 },
    facts,
    counts: proved.counts,
    warnings: [
      ...backup.passedOver,
      ...(hold.warning === undefined ? [] : [hold.warning]),
      ...(proved.outcome === "verified"
        ? []
        : [`the backup was checked byte by byte, but nobody has loaded it before: ${proved.why ?? ""}`]),
    ],
  };
}

async function loadHere({ manifest, folder, scratch, dataHome }: Fetching, task: Task) {
  const { proveByLoading } = await import("../../backup/verify/prove-by-loading.js");
  const { servers } = await proofHere(dataHome);
  const found = await proveByLoading({ manifest, folder, scratch, servers }, task);
  if (found.outcome !== "damaged") return found;
  throw new Failure({
    code: "backup-damaged",
    operation: "restore",
    subject: `backup ${manifest.slot}`,
    cause: found.why ?? "a server does not load it",
    hint: "Restore another one: latest-verified",
  });
}

async function requireRoom({ slot, files }: Manifest, folder: string): Promise<void> {
  const needed = diskNeededBytes(files);
  const free = await freeBytes(folder);
  if (free >= needed) return;
  const mib = (bytes: number) => Math.ceil(bytes / 1024 / 1024);
  throw new Failure({
    code: "scratch-full",
    operation: "extract",
    subject: `backup ${slot}`,
    cause: `that takes ${mib(needed)} MiB, and ${tmpdir()} has ${mib(free)} MiB free`,
    hint: "Free some space there, or let TMPDIR name a folder with more",
  });
}
