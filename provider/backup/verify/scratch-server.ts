import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Redis } from "ioredis";
import type { Task } from "../../core/task";
import type { Counts } from "../../core/verification";
import { SINGLE_CONNECTION } from "../../redis/client";
import { type Info, isSet, numberIn, pairsIn, parseInfo } from "../../redis/info";
import { Failure } from "../../core/errors";
import { startWatched } from "./watched-process";
import { type Refusal, whyNotLoaded } from "./why-not-loaded";

/** One of the ways that an archive's README names. */
export type Way = "plain" | "by redis.conf";

interface LoadRequest {
  readonly executable: string;
  /** Holds the extracted archive; what the server may write there is thrown away. */
  readonly folder: string;
  readonly way: Way;
  /** How many databases the archive is opened with. */
  readonly databases: number;
  /** A short path for its socket, in a folder that only this user may enter. */
  readonly socket: string;
}

export type Loaded = { readonly kind: "loaded"; readonly counts: Counts } | Refusal;

/** The longest path that every system takes for a socket. */
const LONGEST_SOCKET_PATH = 103;

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;
/** So many looks at a server that neither answers nor gets on take ten minutes at least: it hangs. */
const MOST_IDLE_LOOKS = 650;

/**
 * Loads an extracted archive with a server of its own and counts what it then holds. The server is reached by its
 * socket alone, writes nothing, and follows a leader that isn't there: a leader itself would drop what has expired.
 */
export async function load(
  request: LoadRequest,
  task: Task,
  onProgress: (doneBytes: number, totalBytes: number) => void,
): Promise<Loaded> {
  await using server = startWatched(request.executable, argumentsFor(request), request.folder);
  await using connection = await openSocket(request.socket);
  let loadedBytes = 0;
  for (let idle = 0; idle < MOST_IDLE_LOOKS; idle++) {
    task.signal.throwIfAborted();
    const ending = server.ending();
    if (ending !== undefined) return whyNotLoaded(ending, server.output());
    const info = await connection.info();
    // Who removes its folder takes its socket away, and nothing would ever be heard of it again.
    if (info === undefined) await access(request.folder);
    if (info !== undefined && !isSet(info, "loading")) return await judge(request, info, connection);
    const done = info === undefined ? loadedBytes : (numberIn(info, "loading_loaded_bytes") ?? 0);
    if (info !== undefined) onProgress(done, numberIn(info, "loading_total_bytes") ?? 0);
    if (done !== loadedBytes) idle = 0;
    loadedBytes = done;
    await task.clock.sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * (idle + 1)), task.signal);
  }
  throw new Failure({
    code: "scratch-server-hangs",
    operation: "load",
    subject: "the backup into a scratch server",
    cause: `it got no further than ${loadedBytes} bytes`,
    hint: "Try again when this machine is less busy",
    transient: true,
  });
}

async function judge(request: LoadRequest, info: Info, connection: Connection): Promise<Loaded> {
  const ways = request.way === "plain" ? "0" : "1";
  if (info.get("aof_enabled") !== ways)
    return { kind: "damaged", why: "its redis.conf does not lead to its append-only folder" };
  return { kind: "loaded", counts: countsIn(info, await connection.functionLibraries()) };
}

/** What the archive's redis.conf says is left to it: that is what is proved. */
function argumentsFor({ way, databases, socket }: LoadRequest): string[] {
  const own =
    way === "plain"
      ? ["--dbfilename", "dump.rdb", "--appendonly", "no", "--databases", String(databases)]
      : ["--aof-load-truncated", "no", "--auto-aof-rewrite-percentage", "0"];
  return [
    ...(way === "plain" ? [] : ["./redis.conf"]),
    ...own,
    ...["--port", "0", "--unixsocket", socket, "--unixsocketperm", "700"],
    ...["--replicaof", "127.0.0.1 1"],
    ...["--save", "", "--maxmemory", "0", "--daemonize", "no", "--logfile", "", "--crash-log-enabled", "no"],
    // An append-only file is executed: one from a store that others write to must not reach beyond its data.
    ...["MODULE", "CONFIG", "DEBUG", "MIGRATE", "ACL"].flatMap((name) => ["--rename-command", name, ""]),
  ];
}

function countsIn(info: Info, functions: number | undefined): Counts {
  const databases: Record<string, { keys: number; expires: number }> = {};
  let [keys, expires] = [0, 0];
  for (const [field, value] of info) {
    const database = /^db(\d+)$/.exec(field)?.[1];
    if (database === undefined) continue;
    const told = pairsIn(value);
    const count = { keys: Number(told.get("keys")), expires: Number(told.get("expires")) };
    databases[database] = count;
    keys += count.keys;
    expires += count.expires;
  }
  return { keys, expires, databases, ...(functions === undefined ? {} : { functions }) };
}

interface Connection extends AsyncDisposable {
  /** Undefined while the server doesn't answer. */
  info(): Promise<Info | undefined>;
  /** Undefined where the server knows no functions. */
  functionLibraries(): Promise<number | undefined>;
}

async function openSocket(path: string): Promise<Connection> {
  const { Redis } = await import("ioredis");
  let redis: Redis | undefined;
  const close = () => {
    redis?.disconnect();
    redis = undefined;
  };
  const connected = async () => {
    if (redis !== undefined) return redis;
    redis = new Redis({ path, ...SINGLE_CONNECTION, commandTimeout: 10_000 });
    redis.on("error", () => undefined);
    await redis.connect();
    return redis;
  };
  return {
    async info() {
      try {
        return parseInfo(await (await connected()).info());
      } catch {
        close();
        return undefined;
      }
    },
    async functionLibraries() {
      try {
        const libraries = await (await connected()).call("FUNCTION", "LIST");
        return Array.isArray(libraries) ? libraries.length : undefined;
      } catch (error) {
        if (error instanceof Error && /^ERR unknown command/i.test(error.message)) return undefined;
        throw error;
      }
    },
    [Symbol.asyncDispose]: async () => close(),
  };
}

/** Where a server's socket has room in a folder; undefined where the folder's path is too long. */
export function socketIn(folder: string): string | undefined {
  const path = join(folder, "s");
  return Buffer.byteLength(path) <= LONGEST_SOCKET_PATH ? path : undefined;
}
