import type { DecryptionKey } from "../../core/encryption";
import type { RestoreJob } from "../../core/job";
import { diskProblem, formatProblem } from "../../core/restore-fit";
import type { StoreCredentials } from "../../core/store-credentials";
import type { Task } from "../../core/task";
import { serversThatLoad } from "../../core/version";
import { openObject } from "../../stores/open-object";
import { freeBytes } from "../../system/free-bytes";
import { isDamage } from "../archive/damage";
import { type RdbHead, writerOf } from "../archive/rdb-head";
import { readLoneArchive } from "../archive/read-lone";
import { countsOf } from "./counts";
import { proveStaged } from "./prove-staged";
import type { Restored } from "./restore-backup";
import { damagedBackup, problemFailure } from "./restore-failures";
import { stageFolder } from "./staged-folder";

export interface ArchiveToRestore {
  /** Of a file or of an object of a bucket, spelt as a destination is. */
  readonly url: string;
  readonly credentials?: StoreCredentials | undefined;
  /** Opens it, should it be encrypted. */
  readonly key?: DecryptionKey | undefined;
  /** As in `BackupToRestore`. */
  readonly folder: string;
  readonly proof: RestoreJob["proof"];
}

/**
 * Fetches an archive that lies without its manifest into a folder where a server that is started there loads it. It
 * must be of format 1, and is loaded by a scratch server before. Throws a Failure as `restoreBackup` does.
 */
export async function restoreArchive(request: ArchiveToRestore, task: Task): Promise<Restored> {
  const { url, credentials, key, folder, proof } = request;
  const { signal } = task;
  await using staged = await stageFolder(folder, task.clock.now());
  const opened = await openObject(url, credentials, signal);
  const subject = `the archive ${opened.url}`;
  const admitSize = async (sizeBytes: number) => {
    const problem = diskProblem([{ sizeBytes }], await freeBytes(staged.scratch.path));
    if (problem !== undefined) throw problemFailure(subject, problem);
  };
  const admitHead = (head: RdbHead) => {
    const versions = proof.servers.map(({ version }) => version);
    if (serversThatLoad(originOf(head), proof.servers).length === 0)
      throw problemFailure(subject, formatProblem(originOf(head), versions));
  };
  const options = { name: opened.name, folder: staged.path, key, admitSize, admitHead };
  const { files, head } = await readLoneArchive(opened.content, options, signal, (doneBytes) =>
    task.progress({ message: "fetching the archive", doneBytes }),
  ).catch((error: unknown) => {
    throw isDamage(error) ? damagedBackup(subject, error.cause) : error;
  });
  const { server, rdb } = originOf(head);
  const sizeBytes = files.find(({ path }) => path === "dump.rdb")?.sizeBytes ?? 0;
  const described = { slot: opened.name, files: [...files], server, rdb: { ...rdb, sizeBytes } };
  const { verification, counts, warnings } = await proveStaged(staged, described, proof, subject, task);
  await staged.finish();
  return {
    backup: opened.name,
    archiveUrl: opened.url,
    verification,
    ...countsOf(counts),
    warnings: [...warnings],
  };
}

function originOf(head: RdbHead) {
  return { server: writerOf(head), rdb: { magic: head.magic, version: head.version } };
}
