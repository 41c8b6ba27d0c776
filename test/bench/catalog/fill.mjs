// Lays out a catalog as files: of each backup an archive, a manifest and what its verification found, all some days old
// as of a store that was written to for years.
import { closeSync, futimesSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

const HOUR_MS = 3_600_000;
export const FILES_EACH = 3;

/** One backup each hour, the newest two days ago. */
export function layOut(folder, catalogKey, count) {
  const inside = join(folder, catalogKey);
  mkdirSync(inside, { recursive: true });
  const newest = Date.now() - 48 * HOUR_MS;
  const writtenAt = newest / 1000;
  for (let n = 0; n < count; n++) {
    const slot = new Date(newest - n * HOUR_MS).toISOString().replace(/[-:.]/g, "");
    const archive = `${slot}-0123456789ab.tar.gz`;
    write(join(inside, archive), "tiny", writtenAt);
    // Whether the newest one is sound is looked at.
    write(join(inside, `${slot}.json`), n === 0 ? manifest(catalogKey, slot, archive) : "{}", writtenAt);
    write(join(inside, `${slot}.verified.json`), "{}", writtenAt);
  }
}

function write(path, content, writtenAt) {
  const file = openSync(path, "wx");
  writeSync(file, content);
  futimesSync(file, writtenAt, writtenAt);
  closeSync(file);
}

function manifest(catalogKey, slot, archive) {
  const at = new Date().toISOString();
  return JSON.stringify({
    format: 1,
    addon: { name: "bench", catalogKey },
    slot,
    reason: "scheduled",
    archive: { name: archive, sizeBytes: 4, sha256: "0".repeat(64) },
    files: [],
    takenAt: at,
    finishedAt: at,
    replication: { id: "bench", offset: 0 },
    server: { name: "redis", version: "7.0.15" },
    rdb: { magic: "REDIS0010", version: 10, sizeBytes: 1 },
  });
}
