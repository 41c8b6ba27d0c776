import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { Failure } from "../../core/errors";
import { parseRestoreUrl } from "../../core/restore-url";
import type { Task } from "../../core/task";
import type { Platform } from "../../platforms/contract";
import { keyOf } from "./restore-key";
import { resolveRestore, type ResolvedRestore, type RestoreSecrets } from "./restore-source";

/**
 * What a file of this machine holds that data can be restored from: an archive of this package, or a snapshot that some
 * server has written, bare, packed by gzip, or the only one in a tar. Its content decides, not its name. Reads only.
 *
 * Fails with `no-such-file`, `not-a-snapshot`, `needs-key`, or where it can't be read.
 */
export async function resolveFile(
  platform: Platform,
  path: string,
  secrets: RestoreSecrets,
  task: Task,
): Promise<ResolvedRestore> {
  const name = basename(path);
  const url = pathToFileURL(path).href;
  const sizeBytes = await sizeOf(path);
  task.progress({ message: `looking at ${name}` });
  const { openSnapshot } = await import("../../backup/restore/open-snapshot.js");
  const { writerOf } = await import("../../backup/archive/rdb-head.js");
  const { getFile } = await import("../../stores/file-get.js");
  const stream = await getFile(path, task.signal);
  try {
    await using found = await openSnapshot(stream as AsyncIterable<Buffer>, name, sizeBytes);
    if (found.kind === "archive")
      return await archiveAt(platform, url, name, found.isEncrypted, secrets, task);
    const { magic, version, fields } = found.head;
    const size = found.sizeBytes ?? sizeBytes;
    const used = Number(fields.get("used-mem"));
    return {
      source: { kind: "snapshot", url },
      ...{ backup: name, archive: url, passedOver: [] },
      snapshot: {
        server: writerOf(found.head),
        rdb: { magic, version, sizeBytes: size },
        files: [{ sizeBytes: size }],
        ...(Number.isSafeInteger(used) && used > 0 ? { usedMemoryBytes: used } : {}),
      },
    };
  } finally {
    stream.destroy();
  }
}

/** One that is called as a store calls it is looked up as such: its manifest may lie beside it. */
async function archiveAt(
  platform: Platform,
  url: string,
  name: string,
  isEncrypted: boolean,
  secrets: RestoreSecrets,
  task: Task,
): Promise<ResolvedRestore> {
  if (parseRestoreUrl(url).kind === "archive")
    return resolveRestore(platform, { url, backup: "latest" }, secrets, task);
  const key = isEncrypted ? await keyOf("unknown", secrets, name) : undefined;
  return {
    source: { kind: "archive", url, ...(key === undefined ? {} : { key }) },
    ...{ backup: name, archive: url, passedOver: [] },
  };
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    const cause = error.code === "ENOENT" ? "there is no such file" : error.message;
    throw refused("no-such-file", path, cause, "Check the path");
  });
  if (found.isFile()) return found.size;
  if (found.isDirectory())
    throw refused(
      "not-a-snapshot",
      path,
      "it is a folder",
      "Name the .rdb file in it; of an append-only folder (appendonlydir) let a redis-server of its version load a copy and write a snapshot (redis-cli SAVE)",
    );
  throw refused("not-a-snapshot", path, "it is no regular file", "Write it to a file first");
}

function refused(code: string, subject: string, cause: string, hint: string): Failure {
  return new Failure({ code, operation: "import", subject, cause, hint });
}
