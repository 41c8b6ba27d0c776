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
    };

export interface ArchiveSubject {
  readonly addon: string;
  readonly slot: string;
  readonly server: Pick<ServerInfo, "name" | "version">;
  /** How many databases the source was configured with, where known. */
  readonly databases: number | undefined;
  /** The highest database number that holds keys, where known. */
  readonly highestDatabase: number | undefined;
}

const STOCK_DATABASES = 16;
const BASE = "appendonly.aof.1.base.rdb";
const INCREMENT = "appendonly.aof.1.incr.aof";

/**
 * Format 1. A stock server loads the same data either way: `redis-server` finds dump.rdb; `redis-server ./redis.conf`
 * finds the append-only folder, whose base is the same file and whose increment is empty.
 */
export function archiveEntries(
  subject: ArchiveSubject,
  dump: { readonly sizeBytes: number; readonly content: AsyncIterable<Buffer> },
): ArchiveEntry[] {
  return [
    text("README.txt", readme(subject)),
    text("redis.conf", configuration(subject)),
    { kind: "file", path: "dump.rdb", ...dump },
    { kind: "folder", path: "appendonlydir/" },
    { kind: "link", path: `appendonlydir/${BASE}`, target: "dump.rdb" },
    text(`appendonlydir/${INCREMENT}`, ""),
    text(
      "appendonlydir/appendonly.aof.manifest",
      `file ${BASE} seq 1 type b\nfile ${INCREMENT} seq 1 type i\n`,
    ),
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
  return `Backup ${slot} of the ${product} add-on ${addon}, taken from ${product} ${server.version}.

To open it, go into this folder FIRST (started elsewhere, a server finds nothing and starts empty), then run either

    ${plain}
    ${program} ./redis.conf

Both load the same data; the second also keeps every later write in appendonlydir/. Another port: add --port 6380.
Keys whose time to live has passed since the backup vanish while it loads.

It opens with ${product} ${server.version} and newer versions of ${product}. redis.conf needs Redis 7.0 or newer;
with Redis 6.2 use dump.rdb alone, by the first command. The contents are not encrypted: keep them as safe as the
database.
`;
}
