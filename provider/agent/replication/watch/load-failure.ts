import { open } from "node:fs/promises";

/** What an add-on's log says of its leader's last snapshot, where that could not be loaded. */
export interface LoadFailure {
  /** About the snapshot: `it has the format 12, which is too new`. Absent: the log doesn't tell. */
  readonly why: string | undefined;
}

/** Where a server is unable to load what arrives it tries again at once: the newest of it is enough. */
const TAIL_BYTES = 64 * 1024;

/** What is logged from there on is of another life, another leader or another snapshot. */
const BOUNDARY =
  /is starting oO0OoO0OoO0Oo|REPLICAOF \S+ enabled \(|(?:MASTER|PRIMARY) <-> REPLICA sync: Finished with success/;
const LOADING = /(?:MASTER|PRIMARY) <-> REPLICA sync: Loading DB in memory/;
const FAILED = /Failed trying to load the (?:MASTER|PRIMARY) synchronization DB/;
const TOLD_TO_LEAVE = /is now ready to exit|User requested shutdown/;

/** The first that a line matches wins. */
const REASONS: readonly { readonly matches: RegExp; readonly why: (match: RegExpExecArray) => string }[] = [
  {
    matches: /Can't handle RDB format version (\d+)/,
    why: ([, format = "?"]) => `it has the format ${format}, which is too new for it`,
  },
  {
    matches: /Wrong signature trying to load DB/,
    why: () => "it has a format that it doesn't know",
  },
  {
    matches: /configured to handle more than (\d+) databases/,
    why: ([, databases = "?"]) => `it holds keys of a database beyond the ${databases} that this add-on has`,
  },
  {
    matches: /Wrong RDB checksum|RDB CRC error|Internal error in RDB|Unrecoverable error, aborting/,
    why: () => "it is damaged, or holds what this version doesn't know",
  },
];

/** Absent: there was no failure since a snapshot was last loaded, or another leader given. */
export function loadFailureIn(log: string): LoadFailure | undefined {
  const lines = sinceBoundary(log);
  const failed = lines.findLastIndex((line) => FAILED.test(line));
  return failed < 0 ? undefined : { why: reasonIn(lines.slice(0, failed)) };
}

/** The load that a server ended with. */
interface FatalLoad extends LoadFailure {
  /** What the log says where it began: no other one begins alike. */
  readonly began: string;
}

/** The same of a server that has ended by itself: absent where that was not while it was loading. */
export function fatalLoadIn(log: string): FatalLoad | undefined {
  const lines = sinceBoundary(log);
  const loading = lines.findLastIndex((line) => LOADING.test(line));
  // Without this, an AOF that can't be read at a start would count as a snapshot.
  if (loading < 0) return undefined;
  const after = lines.slice(loading + 1);
  if (after.some((line) => FAILED.test(line) || TOLD_TO_LEAVE.test(line))) return undefined;
  return { why: reasonIn(after), began: lines[loading] ?? "" };
}

function sinceBoundary(log: string): readonly string[] {
  const lines = log.split("\n");
  return lines.slice(lines.findLastIndex((line) => BOUNDARY.test(line)) + 1);
}

function reasonIn(lines: readonly string[]): string | undefined {
  for (const { matches, why } of REASONS) {
    const match = lines.map((line) => matches.exec(line)).findLast((found) => found !== null);
    if (match !== undefined && match !== null) return why(match);
  }
  return undefined;
}

/** The end of a server's log; empty where there is none. */
export async function logEnd(path: string): Promise<string> {
  await using file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return "";
  const { size } = await file.stat();
  const from = Math.max(0, size - TAIL_BYTES);
  const { buffer, bytesRead } = await file.read({
    buffer: Buffer.alloc(Math.min(size, TAIL_BYTES)),
    position: from,
  });
  return buffer.subarray(0, bytesRead).toString("utf8");
}
