import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../core/errors";
import type { Task } from "../../core/task";
import { disagreement, type Looked } from "../../core/verification";
import { opensBothWays, parseSpelling, serversThatLoad, type ServerVersion } from "../../core/version";
import { checkContents, requireUnchanged } from "./check-contents";
import { type CheckedRdb, checkRdb } from "./check-rdb";
import type { Described } from "./described";
import type { Found } from "./found";
import { memoryProblem } from "./memory";
import { makeScratchFolder, type ScratchFolder } from "./scratch-folder";
import { load, type Loaded, socketIn, type Way } from "./scratch-server";

interface Extracted {
  readonly manifest: Described;
  /** Holds the extracted archive, proved to be byte for byte what was written. */
  readonly folder: string;
  readonly scratch: ScratchFolder;
  readonly servers: readonly { readonly path: string; readonly version: string }[];
  readonly memoryBudgetBytes?: number | undefined;
}

const BEAT_MS = 60_000;
/** Ten hours: far more than the largest data take. */
const MOST_BEATS = 600;
const WAYS: readonly (readonly [Way, how: string])[] = [
  ["plain", "redis-server"],
  ["by redis.conf", "redis-server ./redis.conf"],
];

/** Looks into an extracted archive: with redis-check-rdb, then by loading it both ways, and compares what each found. */
export async function proveByLoading(extracted: Extracted, task: Task): Promise<Found> {
  const { manifest, folder, memoryBudgetBytes } = extracted;
  const damaged = async (why: string): Promise<Found> => {
    await requireUnchanged(folder, manifest, task.signal);
    return { outcome: "damaged", why };
  };
  const contents = await checkContents(folder, manifest);
  if (contents.kind === "damaged") return damaged(contents.why);

  const readers = serversThatLoad(manifest, extracted.servers);
  const checked = await firstWord(readers, join(folder, "dump.rdb"), task);
  if (checked?.kind === "damaged") return damaged(checked.why);
  const trailing = checked?.kind === "sound" ? manifest.rdb.sizeBytes - checked.endsAtBytes : 0;
  if (trailing > 0) return damaged(`${trailing} bytes follow the end of its snapshot`);
  const unproved = (why: string): Found => ({
    outcome: "structure-checked",
    why,
    ...(checked?.kind === "sound" ? { counts: checked.counts } : {}),
  });

  if (contents.kind === "unknown") return unproved(contents.why);
  const loaders = readers.flatMap(({ path, version }) => {
    const parsed = parseSpelling(version);
    return parsed !== undefined && opensBothWays(parsed) ? [{ path, version: parsed }] : [];
  });
  if (loaders.length === 0) return unproved(noServer(manifest, readers.length > 0));
  const problem = memoryProblem(contents.usedMemoryBytes, memoryBudgetBytes);
  if (problem !== undefined) return unproved(problem);

  const { databases } = contents;
  let last = "";
  for (const { path, version } of loaders) {
    const looked = await loadBothWays({ ...extracted, executable: path, databases }, task);
    if (looked.kind === "loaded") {
      const word: Looked[] =
        checked?.kind === "sound" ? [{ how: "redis-check-rdb", counts: checked.counts }] : [];
      const [plain, configured] = looked.ways;
      const why = [configured, ...word].map((other) => disagreement(plain, other)).find(Boolean);
      if (why !== undefined) return damaged(why);
      return { outcome: "verified", server: told(version), counts: plain.counts };
    }
    const server = `${name(version.flavor)} ${version.version}`;
    last = `${server} does not load it (${looked.how}): ${looked.why}`;
    if (looked.kind === "damaged") return damaged(last);
    if (looked.kind === "failed")
      throw new Failure({
        code: "scratch-server-failed",
        operation: "verify",
        subject: `backup ${manifest.slot}`,
        cause: last,
        hint: "See whether this server starts on this machine",
        transient: true,
      });
    if (looked.kind === "no-memory") break;
  }
  return unproved(last);
}

type LookedAt =
  | { readonly kind: "loaded"; readonly ways: readonly [Looked, Looked] }
  | (Exclude<Loaded, { kind: "loaded" }> & { readonly how: string });

async function loadBothWays(
  request: Extracted & { readonly executable: string; readonly databases: number },
  task: Task,
): Promise<LookedAt> {
  const { executable, databases, folder } = request;
  await using place = await socketPlace(request.scratch);
  const looked: Looked[] = [];
  for (const [way, how] of WAYS) {
    const message = `loading it with a scratch server, ${how}`;
    task.progress({ message });
    const { socket } = place;
    const loaded = await load({ executable, folder, way, databases, socket }, task, (doneBytes, totalBytes) =>
      task.progress({ message, doneBytes, ...(totalBytes > 0 ? { totalBytes } : {}) }),
    );
    if (loaded.kind !== "loaded") return { ...loaded, how };
    looked.push({ how, counts: loaded.counts });
  }
  const [plain, configured] = looked;
  if (plain === undefined || configured === undefined) throw new Error("there are two ways");
  return { kind: "loaded", ways: [plain, configured] };
}

/** What a socket's path may be is short, and a scratch folder may be anywhere. */
async function socketPlace(scratch: ScratchFolder): Promise<AsyncDisposable & { readonly socket: string }> {
  const own = socketIn(scratch.path);
  if (own !== undefined) return { socket: own, [Symbol.asyncDispose]: async () => undefined };
  for (const parent of [tmpdir(), "/tmp"]) {
    const short = await makeScratchFolder(parent);
    const socket = socketIn(short.path);
    if (socket !== undefined) return { socket, [Symbol.asyncDispose]: () => short[Symbol.asyncDispose]() };
    await short[Symbol.asyncDispose]();
  }
  throw new Failure({
    code: "path-too-long",
    operation: "verify in",
    subject: scratch.path,
    cause: "no folder for temporary files has a path that is short enough for a socket",
    hint: "Set TMPDIR to a folder with a short path",
  });
}

/** The word of the first server that has one: not every executable lets itself be called redis-check-rdb. */
async function firstWord(
  readers: readonly { readonly path: string }[],
  file: string,
  task: Task,
): Promise<CheckedRdb | undefined> {
  task.progress({ message: "checking the snapshot" });
  const checked = new AbortController();
  void beat(task, AbortSignal.any([task.signal, checked.signal]));
  try {
    for (const { path } of readers) {
      const word = await checkRdb(path, file, task.signal);
      if (word.kind !== "unable") return word;
    }
    return undefined;
  } finally {
    checked.abort();
  }
}

/** redis-check-rdb says nothing until its end, which for large data is minutes away: a job that is silent hangs. */
async function beat(task: Task, signal: AbortSignal): Promise<void> {
  for (let beats = 1; beats <= MOST_BEATS && !signal.aborted; beats++) {
    await task.clock.sleep(BEAT_MS, signal).catch(() => undefined);
    if (!signal.aborted) task.progress({ message: `checking the snapshot (${(beats * BEAT_MS) / 1000} s)` });
  }
}

/** Why nobody here could load it. */
export function noServer({ server, rdb }: Described, isReadable: boolean): string {
  const from = `${name(server.name)} ${server.version}`;
  return isReadable
    ? `no server at hand opens it both ways, which takes Redis 7.0 or newer, or Valkey 8 or newer`
    : `no server at hand loads what ${from} wrote (${rdb.magic})`;
}

function told({ flavor, version }: ServerVersion) {
  return { name: flavor, version };
}

function name(flavor: ServerVersion["flavor"]): string {
  return flavor === "valkey" ? "Valkey" : "Redis";
}
