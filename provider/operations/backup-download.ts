import { join } from "node:path";
import { Failure } from "../core/errors";
import type { Task } from "../core/task";
import { showBackup } from "./backup-catalog";
import { type BackupPlace, openPlace } from "./backup-place";
import type { KeyFor } from "./backup-verify";

export interface DownloadRequest {
  readonly place: BackupPlace;
  /** A slot, a beginning of one, `latest` or `latest-verified`. */
  readonly which: string;
  /** A file that must not exist yet, or a folder that must not hold anything; both absolute. */
  readonly into:
    | { readonly kind: "file"; readonly path: string }
    /** Under the archive's own name. */
    | { readonly kind: "file-in"; readonly folder: string }
    | { readonly kind: "folder"; readonly path: string };
  /** Only what is extracted is decrypted. */
  readonly keyFor: KeyFor;
}

export interface Downloaded {
  readonly slot: string;
  /** The file, or the folder. */
  readonly path: string;
  /** Of the archive. */
  readonly sizeBytes: number;
}

/** An archive on its way to somebody. */
export interface ArchiveStream {
  /** Its own name. */
  readonly fileName: string;
  readonly sizeBytes: number;
  /**
   * Exactly so many, compared with the manifest: where they aren't those that were written it fails before the last of
   * them. Nothing is fetched before they are asked for.
   */
  readonly bytes: AsyncIterable<Buffer>;
}

/** Streams a backup's archive as it is stored; `slot` is a whole one. An abort of the task ends it. */
export async function streamArchive(place: BackupPlace, slot: string, task: Task): Promise<ArchiveStream> {
  const { entry, manifest } = await showBackup(place, slot, task);
  const { archive } = manifest;
  if (!entry.archiveExists)
    throw new Failure({
      code: "archive-gone",
      operation: "download",
      subject: `backup ${slot} of ${place.name}`,
      cause: "its archive is gone, and with it the data",
      hint: "Use another backup",
    });
  const { archiveBytes } = await import("../backup/archive-bytes.js");
  const bytes = archiveBytes(await openPlace(place), place.catalogKey, archive, task.signal);
  return { fileName: archive.name, sizeBytes: archive.sizeBytes, bytes };
}

/** Fetches a backup's archive, or the files in it: compared with its manifest, and whole or not at all. */
export async function downloadBackup(request: DownloadRequest, task: Task): Promise<Downloaded> {
  const { place, which, into, keyFor } = request;
  const { manifest } = await showBackup(place, which, task);
  const { slot, archive, encryption } = manifest;
  const { downloadArchive, extractBackup } = await import("../backup/download-backup.js");
  const store = await openPlace(place);
  const path = into.kind === "file-in" ? join(into.folder, archive.name) : into.path;
  if (into.kind === "folder")
    await extractBackup(store, place.catalogKey, slot, { to: path, key: await keyFor(encryption) }, task);
  else await downloadArchive(store, place.catalogKey, slot, { to: path }, task);
  return { slot, path, sizeBytes: archive.sizeBytes };
}
