import { createHash } from "node:crypto";
import { Failure } from "../../core/errors";
import type { RestoreJob } from "../../core/job";
import { diskProblem, formatProblem } from "../../core/restore-fit";
import type { StoreCredentials } from "../../core/store-credentials";
import type { Task } from "../../core/task";
import { serversThatLoad } from "../../core/version";
import { openObject } from "../../stores/open-object";
import { freeBytes } from "../../system/free-bytes";
import { extractInto } from "../archive/extract";
import { archiveEntries, type ArchiveEntry } from "../archive/layout";
import { type RdbHead, writerOf } from "../archive/rdb-head";
import type { FoundFile } from "../archive/tar-read";
import { untilAborted } from "../archive/until-aborted";
import { countsOf } from "./counts";
import { notASnapshot, openSnapshot } from "./open-snapshot";
import { proveStaged } from "./prove-staged";
import type { Restored } from "./restore-backup";
import { problemFailure } from "./restore-failures";
import { type StagedFolder, stageFolder } from "./staged-folder";

export interface SnapshotToRestore {
  /** Of a file or of an object of a bucket, spelt as a destination is. */
  readonly url: string;
  readonly credentials?: StoreCredentials | undefined;
  /** As in `BackupToRestore`. */
  readonly folder: string;
  readonly proof: RestoreJob["proof"];
}

/** More than anybody uses: which of them hold keys is counted once they are loaded. */
const MOST_DATABASES = 1024;
const LOOK_EVERY_BYTES = 32 * 1024 * 1024;

/**
 * Makes a folder where a server that is started there loads the same data of a snapshot alone, whoever wrote it. A
 * scratch server loads it before. Throws a Failure as `restoreBackup` does, and `not-a-snapshot`.
 */
export async function restoreSnapshot(request: SnapshotToRestore, task: Task): Promise<Restored> {
  const { url, credentials, folder, proof } = request;
  const { signal } = task;
  await using staged = await stageFolder(folder, task.clock.now());
  const opened = await openObject(url, credentials, signal);
  try {
    const { name } = opened;
    await using found = await openSnapshot(untilAborted<Buffer>(opened.content, signal), name);
    if (found.kind === "archive")
      throw notASnapshot(name, "it is an archive by now, and was a snapshot before", "Try again");
    const { server, rdb } = originOf(found.head);
    const subject = `the snapshot ${opened.url}`;
    const versions = proof.servers.map(({ version }) => version);
    if (serversThatLoad({ server, rdb }, proof.servers).length === 0)
      throw problemFailure(subject, formatProblem({ server, rdb }, versions));
    const content = counted(staged, found.content, subject, task);
    const archived = { addon: name, slot: name, server, databases: MOST_DATABASES };
    const files = await write(
      staged,
      archiveEntries(
        { ...archived, highestDatabase: undefined, encrypted: false },
        { sizeBytes: 0, content },
      ),
    );
    const sizeBytes = files.find(({ path }) => path === "dump.rdb")?.sizeBytes ?? 0;
    const described = { slot: name, files, server, rdb: { ...rdb, sizeBytes } };
    const proved = await proveStaged(staged, described, proof, subject, task).catch((error: unknown) => {
      throw named(error);
    });
    await staged.finish();
    return {
      ...{ backup: name, archiveUrl: opened.url, verification: proved.verification },
      ...countsOf(proved.counts),
      warnings: [...proved.warnings],
    };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    opened.content.destroy();
  }
}

function originOf(head: RdbHead) {
  return { server: writerOf(head), rdb: { magic: head.magic, version: head.version } };
}

/** Tells how far it is, and leaves the disk some room: other servers write to it too. */
async function* counted(
  { scratch }: StagedFolder,
  content: AsyncIterable<Buffer>,
  subject: string,
  task: Task,
): AsyncGenerator<Buffer, void> {
  let doneBytes = 0;
  let lookedAt = -LOOK_EVERY_BYTES;
  for await (const chunk of content) {
    if (doneBytes - lookedAt >= LOOK_EVERY_BYTES) {
      lookedAt = doneBytes;
      const problem = diskProblem([{ sizeBytes: LOOK_EVERY_BYTES }], await freeBytes(scratch.path));
      if (problem !== undefined) throw problemFailure(subject, problem);
    }
    doneBytes += chunk.length;
    task.progress({ message: "reading the snapshot", doneBytes });
    yield chunk;
  }
}

/** The entries of an archive as files. */
async function write({ path: folder }: StagedFolder, entries: readonly ArchiveEntry[]): Promise<FoundFile[]> {
  const disk = extractInto(folder, { durable: true });
  const files: FoundFile[] = [];
  for (const entry of entries) {
    if (entry.kind === "folder") await disk.folder(entry.path);
    else if (entry.kind === "link") await disk.link(entry.path, entry.target);
    else if ("content" in entry) {
      const hash = createHash("sha256");
      let sizeBytes = 0;
      await disk.file(entry.path, hashed(entry.content));
      files.push({ path: entry.path, sizeBytes, sha256: hash.digest("hex") });

      async function* hashed(chunks: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
        for await (const chunk of chunks) {
          hash.update(chunk);
          sizeBytes += chunk.length;
          yield chunk;
        }
      }
    }
  }
  return files;
}

/** Nobody has a list of somebody else's exports. */
function named(error: unknown): unknown {
  if (!(error instanceof Failure) || error.code !== "backup-damaged") return error;
  return new Failure({ ...error.report(), hint: "Have it written anew where it comes from" });
}
