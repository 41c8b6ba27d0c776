import { Failure } from "../core/errors";
import type { Manifest } from "../core/manifest";
import type { Task } from "../core/task";
import type { ServerInfo } from "../redis/replication/info";
import type { Leader } from "../redis/replication/link";
import type { Store } from "../stores/contract";
import { archiveEntries } from "./archive/layout";
import { parseRdbHead, RDB_HEAD_BYTES, type RdbHead } from "./archive/rdb-head";
import { writeArchive } from "./archive/write";
import { openWhenReady } from "./open-when-ready";
import { peek } from "./peek";
import { spool } from "./spool";

export interface CaptureRequest {
  readonly addon: string;
  readonly slot: string;
  readonly source: Leader & { readonly diskless?: boolean | undefined };
  readonly databases?: number | undefined;
  readonly store: Store;
  /** The archive's key. */
  readonly key: string;
}

/** What a capture learnt: the parts of a manifest that come from the server and from the archive. */
export type Captured = Pick<
  Manifest,
  | "archive"
  | "files"
  | "takenAt"
  | "replication"
  | "server"
  | "rdb"
  | "databases"
  | "usedMemoryBytes"
  | "keyspace"
>;

/** Takes a snapshot of a server and streams it into an archive in the store. */
export async function capture(request: CaptureRequest, task: Task): Promise<Captured> {
  const { source, store, key } = request;
  const snapshot = await openWhenReady(source, task);
  try {
    await using spooled =
      snapshot.sizeBytes === undefined ? await spool(snapshot.stream, task.signal) : undefined;
    const { sizeBytes, stream } = spooled ?? { sizeBytes: snapshot.sizeBytes ?? 0, stream: snapshot.stream };
    const { head, content } = await peek(stream, RDB_HEAD_BYTES);
    const rdb = parseRdbHead(head);
    if (rdb === undefined) throw noRdb(source);
    const server = serverOf(snapshot.info, rdb);
    const entries = archiveEntries(
      {
        addon: request.addon,
        slot: request.slot,
        server,
        databases: request.databases,
        highestDatabase: highestDatabase(snapshot.info),
      },
      { sizeBytes, content },
    );
    const { files, ...archive } = await writeArchive(entries, {
      store,
      key,
      modifiedAt: snapshot.takenAt,
      signal: task.signal,
    });
    const usedMemory = Number(rdb.fields.get("used-mem"));
    return {
      archive: { name: key.slice(key.indexOf("/") + 1), ...archive },
      files: [...files],
      takenAt: new Date(snapshot.takenAt).toISOString(),
      replication: { id: snapshot.replicationId, offset: snapshot.offset },
      server,
      rdb: { magic: rdb.magic, version: rdb.version, sizeBytes },
      ...(request.databases === undefined ? {} : { databases: request.databases }),
      ...(Number.isSafeInteger(usedMemory) ? { usedMemoryBytes: usedMemory } : {}),
      ...(snapshot.info === undefined ? {} : { keyspace: keyspaceOf(snapshot.info) }),
    };
  } finally {
    snapshot.stream.destroy();
  }
}

/** INFO's word where the user may ask, otherwise what the snapshot says of its writer. */
function serverOf(info: ServerInfo | undefined, rdb: RdbHead): Pick<ServerInfo, "name" | "version"> {
  if (info !== undefined) return { name: info.name, version: info.version };
  const valkey = rdb.fields.get("valkey-ver");
  if (valkey !== undefined) return { name: "valkey", version: valkey };
  return { name: "redis", version: rdb.fields.get("redis-ver") ?? "unknown" };
}

function keyspaceOf({ databases }: ServerInfo): NonNullable<Manifest["keyspace"]> {
  const keys = Object.values(databases).reduce((sum, database) => sum + database.keys, 0);
  return { source: "INFO before the snapshot", keys, databases: { ...databases } };
}

function highestDatabase(info: ServerInfo | undefined): number | undefined {
  const numbers = Object.keys(info?.databases ?? {}).map(Number);
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}

function noRdb(source: Leader): Failure {
  return new Failure({
    code: "unexpected-answer",
    operation: "read a snapshot from",
    subject: `${source.host}:${source.port}`,
    cause: "what it sent is no RDB file of Redis or Valkey",
  });
}
