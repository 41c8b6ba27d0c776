import type { ServerInfo } from "../../redis/replication/info";

/** One entry of an archive, in the order of its tar. */
export type ArchiveEntry =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly sizeBytes: number;
      readonly content: Iterable<Buffer> | AsyncIterable<Buffer>;
    }
  | CompressedEntry;

/** A file whose content comes compressed: as whole gzip members, and with what they unpack to. */
export interface CompressedEntry {
  readonly kind: "file";
  readonly path: string;
  readonly sizeBytes: number;
  readonly members: AsyncIterable<Buffer>;
  /** Of what they unpack to: known once `members` has ended. */
  readonly sha256: () => string;
}

/** The snapshot itself: its content as it comes, or compressed already. */
export type ArchivedDump =
  | { readonly sizeBytes: number; readonly content: AsyncIterable<Buffer> }
  | Pick<CompressedEntry, "sizeBytes" | "members" | "sha256">;

export interface ArchiveSubject {
  readonly addon: string;
  readonly slot: string;
  readonly server: Pick<ServerInfo, "name" | "version">;
  /** How many databases the source was configured with, where known. */
  readonly databases: number | undefined;
  /** The highest database number that holds keys, where known. */
  readonly highestDatabase: number | undefined;
  /** Whether the archive is stored encrypted. */
  readonly encrypted: boolean;
}

const STOCK_DATABASES = 16;
const BASE = "appendonly.aof.1.base.rdb";
const INCREMENT = "appendonly.aof.1.incr.aof";
const README = "README.txt";
const CONFIGURATION = "redis.conf";

/** What format 1 holds besides regular files. */
export const FOLDER = "appendonlydir/";
export const LINK = { path: `${FOLDER}${BASE}`, target: "dump.rdb" } as const;
export const INCREMENT_PATH = `${FOLDER}${INCREMENT}`;
export const AOF_MANIFEST = {
  path: `${FOLDER}appendonly.aof.manifest`,
  content: `file ${BASE} seq 1 type b\nfile ${INCREMENT} seq 1 type i\n`,
} as const;

/** The regular files without which an archive is not one of format 1. */
export const FILES = [README, CONFIGURATION, LINK.target, INCREMENT_PATH, AOF_MANIFEST.path] as const;

/**
 * Format 1. A stock server loads the same data either way: `redis-server` finds dump.rdb; `redis-server ./redis.conf`
 * finds the append-only folder, whose base is the same file and whose increment is empty.
 */
export function archiveEntries(subject: ArchiveSubject, dump: ArchivedDump): ArchiveEntry[] {
  return [
    text(README, readme(subject)),
    text(CONFIGURATION, configuration(subject)),
    { kind: "file", path: LINK.target, ...dump },
    { kind: "folder", path: FOLDER },
    { kind: "link", ...LINK },
    text(INCREMENT_PATH, ""),
    text(AOF_MANIFEST.path, AOF_MANIFEST.content),
  ];
}

function text(path: string, content: string): ArchiveEntry {
  const bytes = Buffer.from(content);
  return { kind: "file", path, sizeBytes: bytes.length, content: [bytes] };
}

function databasesNeeded({ databases, highestDatabase = 0 }: ArchiveSubject): number {
  return Math.max(STOCK_DATABASES, databases ?? 0, highestDatabase + 1);
}

function configuration(subject: ArchiveSubject): string {
  return [
    "dbfilename dump.rdb",
    "appendonly yes",
    // Redis 6.2 knows no such folder and refuses this line instead of starting empty.
    "appenddirname appendonlydir",
    "appendfilename appendonly.aof",
    `databases ${databasesNeeded(subject)}`,
    "",
  ].join("\n");
}

function readme(subject: ArchiveSubject): string {
  const { addon, slot, server } = subject;
  const needed = databasesNeeded(subject);
  const product = server.name === "valkey" ? "Valkey" : "Redis";
  const program = `${server.name}-server`;
  const plain = needed > STOCK_DATABASES ? `${program} --databases ${needed}` : program;
  const care = subject.encrypted
    ? "The archive was encrypted, these files are not:"
    : "The contents are not encrypted:";
  return `Backup ${slot} of the ${product} add-on ${addon}, taken from ${product} ${server.version}.

To open it, go into this folder FIRST (started elsewhere, a server finds nothing and starts empty), then run either

    ${plain}
    ${program} ./redis.conf

Both load the same data; the second also keeps every later write in appendonlydir/. Another port: add --port 6380.
Keys whose time to live has passed since the backup vanish while it loads.

It opens with ${product} ${server.version} and newer versions of ${product}. redis.conf needs Redis 7.0 or newer;
with Redis 6.2 use dump.rdb alone, by the first command. ${care}
keep them as safe as the database.
`;
}
