import { join } from "node:path";
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
