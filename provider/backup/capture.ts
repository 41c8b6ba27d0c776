import { tmpdir } from "node:os";
import { byteProgress } from "../core/byte-progress";
import type { DecryptionKey, Encryption } from "../core/encryption";
import { Failure } from "../core/errors";
import type { Manifest } from "../core/manifest";
import type { Task } from "../core/task";
import type { ServerInfo } from "../redis/replication/info";
import type { Leader } from "../redis/replication/leader";
import type { Store } from "../stores/contract";
import { type ArchivedDump, archiveEntries } from "./archive/layout";
import { parseRdbHead, RDB_HEAD_BYTES, type RdbHead, writerOf } from "./archive/rdb-head";
import { writeArchive } from "./archive/write";
import { stepBehindEverybody } from "../system/step-behind-servers";
import { openWhenReady } from "./open-when-ready";
import { peek } from "./peek";
import type { CaptureSource } from "./source";
import { spool, type Spooled } from "./spool";

export interface CaptureRequest {
  readonly addon: string;
  readonly slot: string;
  readonly source: CaptureSource;
  readonly databases?: number | undefined;
  readonly store: Store;
  /** The archive's key. */
  readonly key: string;
  /** Absent: the archive is not encrypted. */
  readonly encryption?: Encryption | undefined;
  /** Where a snapshot of unknown size waits; absent: the system's temporary folder. */
  readonly scratchFolder?: string | undefined;
}

/** What a capture learnt: the parts of a manifest that come from the server and from the archive. */
export type Captured = Pick<
  Manifest,
  | "archive"
  | "encryption"
  | "files"
  | "takenAt"
  | "replication"
  | "server"
  | "rdb"
  | "databases"
  | "usedMemoryBytes"
  | "keyspace"
> & {
  /** Opens the archive that was encrypted here; never to be stored. */
  readonly key: DecryptionKey | undefined;
};

/** Takes a snapshot of a server and streams it into an archive in the store. */
export async function capture(request: CaptureRequest, task: Task): Promise<Captured> {
  const { source, store, key, encryption, scratchFolder = tmpdir() } = request;
  const snapshot = await openWhenReady(source, task, scratchFolder);
  try {
    const { head, content } = await peek(snapshot.content, RDB_HEAD_BYTES);
    const rdb = parseRdbHead(head);
    if (rdb === undefined) throw noRdb(source);
    await using spooled =
      snapshot.sizeBytes === undefined ? await spool(content, scratchFolder, task.signal) : undefined;
    // The leader has sent everything.
    if (spooled !== undefined) await stepBehindEverybody();
    const dump = (spooled && storing(spooled, task)) ?? { sizeBytes: snapshot.sizeBytes ?? 0, content };
    const server = serverOf(snapshot.info, rdb);
    const entries = archiveEntries(
      {
        addon: request.addon,
        slot: request.slot,
        server,
        databases: request.databases,
        highestDatabase: highestDatabase(snapshot.info),
        encrypted: encryption !== undefined,
      },
      dump,
    );
    const written = await writeArchive(entries, {
      store,
      key,
      modifiedAt: snapshot.takenAt,
      encryption,
      signal: task.signal,
    });
    const usedMemory = Number(rdb.fields.get("used-mem"));
    return {
      archive: { name: key.slice(key.indexOf("/") + 1), ...written.archive },
      ...(encryption === undefined ? {} : { encryption: described(encryption) }),
      files: [...written.files],
      takenAt: new Date(snapshot.takenAt).toISOString(),
      replication: { id: snapshot.replicationId, offset: snapshot.offset },
      server,
      rdb: { magic: rdb.magic, version: rdb.version, sizeBytes: dump.sizeBytes },
      ...(request.databases === undefined ? {} : { databases: request.databases }),
      ...(Number.isSafeInteger(usedMemory) ? { usedMemoryBytes: usedMemory } : {}),
      ...(snapshot.info === undefined ? {} : { keyspace: keyspaceOf(snapshot.info) }),
      key: written.key,
    };
  } finally {
    snapshot.close();
  }
}

/** To a slow store this takes long after the last byte of the snapshot. */
function storing({ members, estimatedBytes, sizeBytes, sha256 }: Spooled, task: Task): ArchivedDump {
  const progress = byteProgress(task, "storing the snapshot", { estimatedBytes });
  async function* told() {
    for await (const chunk of members) {
      progress.add(chunk.length);
      yield chunk;
    }
    progress.end();
  }
  return { sizeBytes, sha256, members: told() };
}

function described(encryption: Encryption): NonNullable<Manifest["encryption"]> {
  return { format: "age", ...("recipients" in encryption ? { recipients: encryption.recipients } : {}) };
}

/** INFO's word where the user may ask, otherwise what the snapshot says of its writer. */
function serverOf(info: ServerInfo | undefined, rdb: RdbHead): Pick<ServerInfo, "name" | "version"> {
  if (info !== undefined) return { name: info.name, version: info.version };
  return writerOf(rdb);
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
