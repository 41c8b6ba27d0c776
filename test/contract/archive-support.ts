import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Encryption } from "../../provider/core/encryption";
import type { Manifest } from "../../provider/core/manifest";
import { archiveEntries } from "../../provider/backup/archive/layout";
import { writeArchive } from "../../provider/backup/archive/write";
import { temporaryStore } from "./backup-support";

export const never = new AbortController().signal;

export async function* pieces(bytes: Buffer, size = 64 * 1024): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export function readable(bytes: Buffer, size?: number): Readable {
  return Readable.from(pieces(bytes, size), { objectMode: false });
}

export function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The code of what a promise fails with; undefined where it doesn't. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => (error instanceof Error && "code" in error ? error.code : error),
  );
}

/** An archive of format 1 as it is stored, its manifest, and what opens it if it is encrypted. */
export async function writtenArchive(dump: Buffer, encryption?: Encryption) {
  await using opened = await temporaryStore();
  const key = "cache-12345678/20260501T030000000Z-aaaa.tar.gz";
  const subject = {
    addon: "cache",
    slot: "20260501T030000000Z",
    server: { name: "redis", version: "7.0.15" },
    databases: 16,
    highestDatabase: 0,
    encrypted: encryption !== undefined,
  } as const;
  const {
    archive,
    files,
    key: opener,
  } = await writeArchive(archiveEntries(subject, { sizeBytes: dump.length, content: pieces(dump) }), {
    store: opened.store,
    key,
    modifiedAt: 1_700_000_000_000,
    encryption,
    signal: never,
  });
  const manifest: Manifest = {
    format: 1,
    addon: { name: "cache", catalogKey: "cache-12345678" },
    slot: subject.slot,
    reason: "demand",
    archive: { name: "20260501T030000000Z-aaaa.tar.gz", ...archive },
    ...(encryption === undefined ? {} : { encryption: { format: "age" } }),
    files: [...files],
    takenAt: "2026-05-01T03:00:00.000Z",
    finishedAt: "2026-05-01T03:00:01.000Z",
    replication: { id: "a".repeat(40), offset: 1 },
    server: { ...subject.server },
    rdb: { magic: "REDIS0010", version: 10, sizeBytes: dump.length },
  };
  return { stored: await readFile(`${fileURLToPath(opened.store.url)}/${key}`), manifest, opener };
}

/** The manifest that somebody would have written who had stored these bytes. */
export function manifestOf(stored: Buffer, manifest: Manifest): Manifest {
  return { ...manifest, archive: { ...manifest.archive, sizeBytes: stored.length, sha256: sha256(stored) } };
}
