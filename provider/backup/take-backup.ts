import { Readable } from "node:stream";
import { Failure } from "../core/errors";
import { archiveKey, type BackupReason, type Manifest, manifestKey, ManifestSchema } from "../core/manifest";
import { formatSlot } from "../core/slot";
import type { Task } from "../core/task";
import type { Leader } from "../redis/replication/link";
import type { Store } from "../stores/contract";
import { capture } from "./capture";
import { readManifest } from "./catalog";

export interface BackupRequest {
  readonly addon: { readonly name: string; readonly catalogKey: string };
  readonly source: Leader & { readonly diskless?: boolean | undefined };
  readonly reason: BackupReason;
  /** Milliseconds since the Unix epoch. */
  readonly slot: number;
  /** Random, letters and digits: tells this archive from another machine's for the same slot. */
  readonly attempt: string;
  readonly databases?: number | undefined;
  readonly store: Store;
}

export interface TakenBackup {
  readonly manifest: Manifest;
  /** False: another machine finished this slot first, and the manifest is that of its backup. */
  readonly takenHere: boolean;
}

/**
 * Takes one backup. It exists from the moment its manifest does, which is put last and only if absent: of several
 * machines that back up one slot one wins, and the others remove what they wrote. A failure leaves nothing either.
 */
export async function takeBackup(request: BackupRequest, task: Task): Promise<TakenBackup> {
  const { addon, store } = request;
  const slot = formatSlot(request.slot);
  const key = archiveKey(addon.catalogKey, slot, request.attempt, false);
  try {
    const captured = await capture(
      { addon: addon.name, slot, source: request.source, databases: request.databases, store, key },
      task,
    );
    const manifest: Manifest = {
      format: 1,
      addon,
      slot,
      reason: request.reason,
      ...captured,
      finishedAt: new Date(task.clock.now()).toISOString(),
    };
    const winner = await putManifest(manifest, request, task.signal);
    if (winner.archive.name === manifest.archive.name) return { manifest: winner, takenHere: true };
    await discard(store, key);
    return { manifest: winner, takenHere: false };
  } catch (error) {
    await discardUnlessNamed(store, addon.catalogKey, slot, key);
    throw error;
  }
}

/** The manifest that the slot has afterwards: ours, or that of whoever was first. */
async function putManifest(
  manifest: Manifest,
  { addon, store }: BackupRequest,
  signal: AbortSignal,
): Promise<Manifest> {
  const body = `${JSON.stringify(ManifestSchema.parse(manifest), undefined, 2)}\n`;
  try {
    const key = manifestKey(addon.catalogKey, manifest.slot);
    await store.put(key, Readable.from([Buffer.from(body)], { objectMode: false }), {
      ifAbsent: true,
      signal,
    });
    return manifest;
  } catch (error) {
    if (!(error instanceof Failure && error.code === "already-exists")) throw error;
    return readManifest(store, addon.catalogKey, manifest.slot, signal);
  }
}

/** A put whose answer was lost may have worked: the archive goes only if no manifest names it for certain. */
async function discardUnlessNamed(
  store: Store,
  catalogKey: string,
  slot: string,
  key: string,
): Promise<void> {
  try {
    const manifest = await readManifest(store, catalogKey, slot, AbortSignal.timeout(CLEAN_UP_MS));
    if (`${catalogKey}/${manifest.archive.name}` !== key) await discard(store, key);
  } catch (error) {
    if (error instanceof Failure && error.code === "not-found") await discard(store, key);
  }
}

/** The task's own signal may be what ended the attempt, so cleaning up has one of its own. */
const CLEAN_UP_MS = 30_000;

/** Best effort: what is left is an archive without a manifest, which pruning removes once it is surely dead. */
async function discard(store: Store, key: string): Promise<void> {
  await store.delete(key, AbortSignal.timeout(CLEAN_UP_MS)).catch(() => undefined);
}
