import { Readable } from "node:stream";
import { Failure } from "../core/errors";
import type { DecryptionKey, Encryption } from "../core/encryption";
import {
  archiveKey,
  type BackupPurpose,
  type BackupReason,
  type Manifest,
  manifestKey,
  ManifestSchema,
} from "../core/manifest";
import { formatSlot } from "../core/slot";
import type { Task } from "../core/task";
import type { Store } from "../stores/contract";
import { checkRecipients } from "./archive/encrypt";
import { capture, type CaptureRequest } from "./capture";
import { readManifest } from "./catalog";

export interface BackupRequest {
  readonly addon: { readonly name: string; readonly catalogKey: string };
  readonly source: CaptureRequest["source"];
  readonly reason: BackupReason;
  readonly purpose?: BackupPurpose | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly slot: number;
  /** Random, letters and digits: tells this archive from another machine's for the same slot. */
  readonly attempt: string;
  readonly databases?: number | undefined;
  readonly store: Store;
  /** Absent: the archive is not encrypted. */
  readonly encryption?: Encryption | undefined;
  readonly scratchFolder?: string | undefined;
}

export interface TakenBackup {
  readonly manifest: Manifest;
  /** False: another machine finished this slot first, and the manifest is that of its backup. */
  readonly takenHere: boolean;
  /** Opens the archive that was encrypted here, so that it can be verified now; nobody keeps it. */
  readonly key: DecryptionKey | undefined;
  /** What the store can't guarantee, each a sentence. */
  readonly warnings: readonly string[];
}

/**
 * Takes one backup. It exists from the moment its manifest does, which is put last and only if absent: of several
 * machines that back up one slot one wins, and the others remove what they wrote. A failure leaves nothing either.
 */
export async function takeBackup(request: BackupRequest, task: Task): Promise<TakenBackup> {
  const { addon, store } = request;
  const slot = formatSlot(request.slot);
  const { encryption } = request;
  const key = archiveKey(addon.catalogKey, slot, request.attempt, encryption !== undefined);
  // Before the leader is asked for anything: what would fail at its end is found out here.
  if (encryption !== undefined) await checkRecipients(encryption);
  const { ifAbsent } = await store.guarantees(task.signal);
  try {
    const { source, databases, scratchFolder } = request;
    const { key: opener, ...captured } = await capture(
      { addon: addon.name, slot, source, databases, store, key, encryption, scratchFolder },
      task,
    );
    const manifest: Manifest = {
      format: 1,
      addon,
      slot,
      reason: request.reason,
      ...(request.purpose === undefined ? {} : { purpose: request.purpose }),
      ...captured,
      finishedAt: new Date(task.clock.now()).toISOString(),
    };
    const winner = await putManifest(manifest, request, ifAbsent, task.signal);
    const takenHere = winner.archive.name === manifest.archive.name;
    if (!takenHere) await discard(store, key);
    const warnings = ifAbsent ? [] : [unconditional(store)];
    return { manifest: winner, takenHere, key: opener, warnings };
  } catch (error) {
    await discardUnlessNamed(store, addon.catalogKey, slot, key);
    throw error;
  }
}

/** The manifest that the slot has afterwards: ours, or that of whoever was first. */
async function putManifest(
  manifest: Manifest,
  { addon, store }: BackupRequest,
  isDecided: boolean,
  signal: AbortSignal,
): Promise<Manifest> {
  const body = `${JSON.stringify(ManifestSchema.parse(manifest), undefined, 2)}\n`;
  try {
    const key = manifestKey(addon.catalogKey, manifest.slot);
    await store.put(key, Readable.from([Buffer.from(body)], { objectMode: false }), {
      ifAbsent: true,
      signal,
    });
    // Where several may have put theirs the last one counts, for everybody who looks from now on.
    return isDecided ? manifest : await readManifest(store, addon.catalogKey, manifest.slot, signal);
  } catch (error) {
    if (!(error instanceof Failure && error.code === "already-exists")) throw error;
    return readManifest(store, addon.catalogKey, manifest.slot, signal);
  }
}

function unconditional({ url }: Store): string {
  return (
    `${url} ignores conditional writes: if two machines back up one add-on at the same moment, one of the two ` +
    `backups may replace the other and leave its archive behind for a day. Let one machine alone write there`
  );
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
