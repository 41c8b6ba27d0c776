import { rm } from "node:fs/promises";
import type { DecryptionKey } from "../../core/encryption";
import { Failure } from "../../core/errors";
import type { Extracted, RestoreJob } from "../../core/job";
import type { Manifest } from "../../core/manifest";
import { formatProblem, restoreProblems } from "../../core/restore-fit";
import type { Task } from "../../core/task";
import type { Verification } from "../../core/verification";
import { serversThatLoad } from "../../core/version";
import type { Store } from "../../stores/contract";
import { freeBytes } from "../../system/free-bytes";
import { archiveFailure, isDamage } from "../archive/damage";
import { readArchive } from "../archive/read";
import { holdBackup } from "../hold";
import { countsOf } from "./counts";
import { proveStaged } from "./prove-staged";
import { requireKnown } from "../require-known";
import { damagedBackup, problemFailure } from "./restore-failures";
import { showBackup } from "../show-backup";
import { type StagedFolder, stageFolder } from "./staged-folder";

export interface BackupToRestore {
  readonly store: Store;
  readonly catalogKey: string;
  /** As names spell it. */
  readonly slot: string;
  /** Opens an encrypted archive. */
  readonly key?: DecryptionKey | undefined;
  /** Absolute, absent before: made whole and on the disk, or not at all. */
  readonly folder: string;
  /** The servers that shall load it, and what loading one may take. */
  readonly proof: RestoreJob["proof"];
  /** Whether the backup stays held once it is fetched, until whoever reads the result deletes what holds it; false by default. */
  readonly keepsHold?: boolean | undefined;
}

export type Restored = Omit<Extracted, "type" | "outcome">;

/**
 * Fetches a backup into a folder where a server that is started there loads it, every byte compared with the manifest.
 * One that no server has loaded so far is loaded first, by a scratch server; the backup is held meanwhile, so that no
 * retention removes it.
 *
 * Throws a Failure: `backup-damaged`, `snapshot-format`, `needs-key`, `wrong-key`, `too-little-disk`,
 * `already-exists`, those of `showBackup`, and what the store, the disk or the scratch server fails with.
 */
export async function restoreBackup(request: BackupToRestore, task: Task): Promise<Restored> {
  const { store, catalogKey, slot, key, folder, proof, keepsHold = false } = request;
  const shown = await showBackup(store, catalogKey, slot, task);
  const { manifest } = shown;
  const subject = `backup ${slot} in ${store.url}/${catalogKey}`;
  if (shown.listed.verification === "damaged")
    throw damagedBackup(subject, shown.verification?.why ?? "it was found damaged when it was verified");
  if (manifest.encryption !== undefined && key === undefined)
    throw archiveFailure("needs-key", manifest.archive.name, "it is encrypted");
  if (serversThatLoad(manifest, proof.servers).length === 0)
    throw problemFailure(
      subject,
      formatProblem(
        manifest,
        proof.servers.map(({ version }) => version),
      ),
    );
  await using hold = await holdBackup(store, catalogKey, slot, task);
  await using staged = await stageFolder(folder, task.clock.now());
  const free = await freeBytes(staged.scratch.path);
  for (const problem of restoreProblems({ manifest, freeBytes: free }))
    throw problemFailure(subject, problem);

  const doubt = await fetchInto(staged, request, manifest, subject, task);
  await requireKnown(staged.path, manifest).catch((error: unknown) => {
    throw isDamage(error) ? damagedBackup(subject, error.cause) : error;
  });
  const proved = isProved(shown.verification)
    ? { verification: "verified" as const, counts: shown.verification?.counts, warnings: [] }
    : await proveStaged(staged, manifest, proof, subject, task);
  await staged.finish();
  const { counts } = proved;
  const kept = keepsHold ? await hold.keep() : undefined;
  return {
    backup: slot,
    archiveUrl: `${store.url}/${catalogKey}/${manifest.archive.name}`,
    verification: proved.verification,
    ...countsOf(counts),
    ...(kept === undefined ? {} : { hold: kept }),
    warnings: [hold.warning, doubt, ...proved.warnings].filter((warning) => warning !== undefined),
  };
}

/** By a server that loaded it: what lies in the store since is the same, byte for byte. */
function isProved(verification: Verification | undefined): boolean {
  return verification?.outcome === "verified" && verification.server !== undefined;
}

/**
 * What differs once may have been changed on its way here, and a restore is no time to give a backup up for that: it is
 * read once more. Returns a sentence where it took that.
 */
async function fetchInto(
  { path }: StagedFolder,
  { store, catalogKey, key }: BackupToRestore,
  manifest: Manifest,
  subject: string,
  task: Task,
): Promise<string | undefined> {
  const { archive } = manifest;
  let first: Failure | undefined;
  for (;;) {
    const stored = await store.get(`${catalogKey}/${archive.name}`, task.signal).catch((error: unknown) => {
      if (error instanceof Failure && error.code === "not-found")
        throw damagedBackup(subject, "its archive is gone");
      throw error;
    });
    try {
      const message = first === undefined ? "fetching the backup" : "fetching the backup again";
      await readArchive(stored, { manifest, folder: path, durable: true, key }, task.signal, (doneBytes) =>
        task.progress({ message, doneBytes, totalBytes: archive.sizeBytes }),
      );
      return first && `The store gave other bytes when it was read first: ${first.cause}`;
    } catch (error) {
      if (!isDamage(error)) throw error;
      if (first !== undefined) throw damagedBackup(subject, error.cause);
      first = error;
      await rm(path, { recursive: true, force: true });
    }
  }
}
