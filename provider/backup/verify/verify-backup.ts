import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { DecryptionKey } from "../../core/encryption";
import { Failure } from "../../core/errors";
import type { Manifest } from "../../core/manifest";
import { diskNeededBytes } from "../../core/restore-fit";
import type { Task } from "../../core/task";
import type { Verification } from "../../core/verification";
import { serversThatLoad } from "../../core/version";
import type { Store } from "../../stores/contract";
import { freeBytes } from "../../system/free-bytes";
import { isDamage } from "../archive/damage";
import { readArchive } from "../archive/read";
import { readListed, readManifest } from "../catalog";
import { checkStored } from "./check-stored";
import type { Found } from "./found";
import { noServer, proveByLoading } from "./prove-by-loading";
import { recordVerification } from "./record";
import { makeScratchFolder, removeLeftovers } from "./scratch-folder";

export interface VerifyRequest {
  readonly store: Store;
  readonly catalogKey: string;
  /** As names spell it. */
  readonly slot: string;
  /** Where a copy is extracted and thrown away; absent: the system's temporary folder. */
  readonly scratchFolder?: string | undefined;
  /** Servers at hand, each with its version as records spell it. */
  readonly servers: readonly { readonly path: string; readonly version: string }[];
  /** Data that need more are not loaded; absent: half of what the machine has free. */
  readonly memoryBudgetBytes?: number | undefined;
  /** Opens an encrypted archive; without it no more than the stored bytes can be checked. */
  readonly key?: DecryptionKey | undefined;
}

/**
 * Proves a backup: every byte is what was written, a server loads it both ways that its README names, and all agree on
 * what it holds. What was found is written beside the manifest and returned; that it is damaged is a result too. What
 * says nothing about the backup is a Failure: the store's own, `wrong-key`, `no-such-backup`, `unreadable-manifest`, a
 * full disk, a server that fails here, or `store-unreliable`: a store that gives other bytes at each reading.
 *
 * Only an earlier proof outlives a later, shallower look (`replaces` in core/verification.ts): then this result is
 * returned and not written.
 */
export async function verifyBackup(request: VerifyRequest, task: Task): Promise<Verification> {
  const { store, catalogKey, slot } = request;
  const manifest = await readManifest(store, catalogKey, slot, task.signal);
  const found = await look(request, manifest, task);
  const verification: Verification = {
    format: 1,
    slot,
    archive: manifest.archive.name,
    at: new Date(task.clock.now()).toISOString(),
    ...found,
  };
  await recordVerification(store, catalogKey, verification, task.signal);
  return verification;
}

async function look(request: VerifyRequest, manifest: Manifest, task: Task): Promise<Found> {
  const parent = request.scratchFolder ?? tmpdir();
  await removeLeftovers(parent, task.clock.now());
  const stored = await openStored(request, manifest, task.signal);
  if (stored === undefined) return { outcome: "damaged", why: "its archive is gone" };
  const onProgress = (doneBytes: number) =>
    task.progress({ message: "checking the archive", doneBytes, totalBytes: manifest.archive.sizeBytes });
  const checkOnly = async (why: string): Promise<Found> => {
    await readArchive(stored, { manifest, key: request.key }, task.signal, onProgress);
    return { outcome: "structure-checked", why };
  };
  try {
    if (manifest.encryption !== undefined && request.key === undefined) {
      const problem = await checkStored(stored, manifest, task.signal, onProgress);
      return problem === undefined
        ? {
            outcome: "structure-checked",
            why: "it is encrypted, and without a key only its stored bytes can be checked",
          }
        : await damagedIfAgain(request, manifest, problem, task);
    }
    if (serversThatLoad(manifest, request.servers).length === 0)
      return await checkOnly(noServer(manifest, false));
    await using scratch = await makeScratchFolder(parent);
    const roomProblem = await whyNoRoom(scratch.path, manifest);
    if (roomProblem !== undefined) return await checkOnly(roomProblem);
    const folder = join(scratch.path, "archive");
    await readArchive(stored, { manifest, folder, key: request.key }, task.signal, onProgress);
    const { servers, memoryBudgetBytes } = request;
    return await proveByLoading({ manifest, folder, scratch, servers, memoryBudgetBytes }, task);
  } catch (error) {
    task.signal.throwIfAborted();
    if (isDamage(error)) return await damagedIfAgain(request, manifest, error.cause, task);
    throw error;
  } finally {
    stored.destroy();
  }
}

/**
 * What differed once may have been changed on its way here, which is no reason to give a backup up: only one that
 * differs when it is read again is damaged.
 */
async function damagedIfAgain(
  request: VerifyRequest,
  manifest: Manifest,
  why: string,
  task: Task,
): Promise<Found> {
  const again = await openStored(request, manifest, task.signal);
  if (again !== undefined && (await readsBack(again, request, manifest, task)))
    throw unreliable(request, manifest, `first ${why}; when it was read again, nothing was wrong`);
  return { outcome: "damaged", why };
}

async function readsBack(
  stored: Readable,
  { key }: VerifyRequest,
  manifest: Manifest,
  task: Task,
): Promise<boolean> {
  const { signal } = task;
  const onProgress = (doneBytes: number) =>
    task.progress({
      message: "reading the archive again",
      doneBytes,
      totalBytes: manifest.archive.sizeBytes,
    });
  if (manifest.encryption !== undefined && key === undefined)
    return (await checkStored(stored, manifest, signal, onProgress)) === undefined;
  try {
    await readArchive(stored, { manifest, key }, signal, onProgress);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (isDamage(error)) return false;
    throw error;
  }
}

function unreliable({ store, catalogKey }: VerifyRequest, { slot }: Manifest, cause: string): Failure {
  return new Failure({
    code: "store-unreliable",
    operation: "verify",
    subject: `backup ${slot} in ${store.url}/${catalogKey}`,
    cause,
    hint: "Verify it again; if it goes on, check the memory of this machine and what lies between it and the store",
    transient: true,
  });
}

/**
 * Undefined where there is a manifest, and no such archive. That it can't be read is not enough: whatever stands before
 * a store may answer for a moment that it knows no such thing.
 */
async function openStored(
  request: VerifyRequest,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<Readable | undefined> {
  const { store, catalogKey, slot } = request;
  const key = `${catalogKey}/${manifest.archive.name}`;
  try {
    return await store.get(key, signal);
  } catch (error) {
    if (!(error instanceof Failure && error.code === "not-found")) throw error;
    const listed = await readListed(store, catalogKey, slot, signal);
    if (listed?.archives.some((archive) => archive.key === key) !== true) return undefined;
    throw unreliable(request, manifest, "its archive is listed, and is not found when it is read");
  }
}

async function whyNoRoom(folder: string, { files }: Manifest): Promise<string | undefined> {
  const needed = diskNeededBytes(files);
  const free = await freeBytes(folder);
  if (free >= needed) return undefined;
  const mib = (bytes: number) => Math.ceil(bytes / 1024 / 1024);
  return `extracting it takes ${mib(needed)} MiB, and the scratch folder has only ${mib(free)} MiB free`;
}
