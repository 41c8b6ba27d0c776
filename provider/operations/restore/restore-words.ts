import { memoryText } from "../../core/memory-size";
import type { Manifest } from "../../core/manifest";
import { VERIFICATION_WORDS } from "../../core/verification";
import type { RestoredAddon } from "../restore";
import type { ResolvedRestore } from "./restore-source";

/** What a person is told of a restore that was made. */
export function restoredWords({ record, tookMs, downtimeMs, safetyBackup }: RestoredAddon): string {
  const { backup = "", keys, safetyBackup: recorded } = record.restored ?? {};
  const holds = keys === undefined ? "" : ` (${keysText(keys)})`;
  const away = downtimeMs === undefined ? "" : `; its users could not write for ${durationText(downtimeMs)}`;
  const slot = safetyBackup?.slot ?? recorded;
  const before = slot === undefined ? "" : `; what it held before is in the backup ${slot}`;
  return `restored from backup ${backup}${holds} in ${durationText(tookMs)}${away}${before}`;
}

/** `backup 20260501T030000000Z (taken 2026-05-01T03:00:00.000Z, 1200 keys, 12.3 MiB, verified)` */
export function backupWords({
  backup,
  manifest,
  snapshot,
  verification,
}: Pick<ResolvedRestore, "backup" | "manifest" | "snapshot" | "verification">): string {
  if (snapshot !== undefined) {
    const { server, rdb } = snapshot;
    return `the file ${backup} (written by ${server.name === "valkey" ? "Valkey" : "Redis"} ${server.version}, ${rdb.magic})`;
  }
  if (manifest === undefined)
    return `the archive ${backup} (without a manifest: what it holds is known once it is fetched)`;
  const keys = keysOf(manifest, verification?.counts?.keys);
  const known = [
    `taken ${manifest.takenAt}`,
    ...(keys === undefined ? [] : [keys]),
    memoryText(manifest.archive.sizeBytes),
    verification === undefined ? "not verified yet" : VERIFICATION_WORDS[verification.outcome],
  ];
  return `backup ${backup} (${known.join(", ")})`;
}

function keysOf({ keyspace }: Manifest, counted: number | undefined): string | undefined {
  if (counted !== undefined) return keysText(counted);
  return keyspace === undefined ? undefined : `about ${keysText(keyspace.keys)}`;
}

function keysText(keys: number): string {
  return keys === 1 ? "1 key" : `${keys} keys`;
}

/** `0.8 s`, `12 s`, `3 min` */
export function durationText(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
