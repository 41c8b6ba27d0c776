import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../core/errors";
import type { Task } from "../../core/task";
import type { ServedSnapshot } from "../../redis/replication/serve-transfer";
import type { SnapshotFacts } from "../../redis/restore-into/look";
import { proofHere } from "../proof-here";
import type { ResolvedRestore } from "../restore/restore-source";
import type { Proved } from "./proven-snapshot";

const DUMP = "dump.rdb";
const CHUNK_BYTES = 256 * 1024;

/** Of one without a manifest nothing says what it must hold: a server here has to load it first. */
export async function fetchLone(
  { source, backup, passedOver }: ResolvedRestore,
  { folder, dataHome }: { readonly folder: string; readonly dataHome: string | undefined },
  task: Task,
): Promise<Proved> {
  const { performJob } = await import("../../backup/jobs/perform.js");
  const id = `restore-${randomUUID().slice(0, 8)}`;
  const proof = await proofHere(dataHome);
  const addon = { name: backup };
  const scratchFolder = tmpdir();
  const result = await performJob({ kind: "restore", id, addon, source, folder, scratchFolder, proof }, task);
  if (result.outcome !== "extracted") throw new Error(`a restore answered ${result.outcome}`);
  const file = join(folder, DUMP);
  const served = await measured(file);
  return {
    served,
    facts: await factsIn(file, served.sizeBytes, backup),
    counts: result.counts,
    warnings: [...passedOver, ...result.warnings],
  };
}

async function measured(file: string): Promise<Omit<ServedSnapshot, "open">> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sizeBytes, sha256: hash.digest("hex") };
}

/** What a snapshot says of itself. */
async function factsIn(path: string, sizeBytes: number, name: string): Promise<SnapshotFacts> {
  const { parseRdbHead, RDB_HEAD_BYTES } = await import("../../backup/archive/rdb-head.js");
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(RDB_HEAD_BYTES), 0, RDB_HEAD_BYTES, 0);
  const head = parseRdbHead(buffer.subarray(0, bytesRead));
  if (head === undefined)
    throw new Failure({
      code: "archive-damaged",
      operation: "restore",
      subject: name,
      cause: "its dump.rdb is no snapshot of a Redis",
    });
  const { magic, version, fields } = head;
  const valkey = fields.get("valkey-ver");
  const used = Number(fields.get("used-mem"));
  return {
    server: {
      name: valkey === undefined ? "redis" : "valkey",
      version: valkey ?? fields.get("redis-ver") ?? "unknown",
    },
    rdb: { magic, version, sizeBytes },
    usedMemoryBytes: Number.isSafeInteger(used) && used > 0 ? used : undefined,
  };
}
