import { link, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileFailure } from "../../stores/file-errors";
import type { ArchiveSink } from "./tar-read";

/**
 * What the system's memory may hold of a file that is on its way to the disk. Gigabytes that are forced there at once
 * would make a server wait that shares the disk, and forces its own writes there each second.
 */
const UNSYNCED_BYTES = 32 * 1024 * 1024;

/**
 * Writes an archive's entries into a folder, for this user alone. Nothing that exists is overwritten. `durable`: what is
 * written is forced to the disk on the way, all but the last of it, for who forces the whole in the end.
 */
export function extractInto(folder: string, { durable }: { readonly durable: boolean }): ArchiveSink {
  return {
    folder: (path) => told(join(folder, path), makeFolder),
    link: (path, target) =>
      told(join(folder, path), async (to) => {
        await makeFolder(dirname(to));
        await link(join(folder, target), to);
      }),
    file: (path, content) =>
      told(join(folder, path), async (to) => {
        await makeFolder(dirname(to));
        await using file = await open(to, "wx", 0o600);
        let unsyncedBytes = 0;
        let syncing: Promise<void> | undefined;
        let writing: Promise<void> | undefined;
        for await (const chunk of content) {
          // While one is written, the next is proved.
          await writing;
          writing = begun(file.writeFile(chunk));
          unsyncedBytes += chunk.length;
          if (!durable || unsyncedBytes < UNSYNCED_BYTES) continue;
          await syncing;
          syncing = begun(file.datasync());
          unsyncedBytes = 0;
        }
        await writing;
        await syncing;
      }),
  };
}

/** Reads everything and keeps nothing. */
export const checkOnly: ArchiveSink = {
  folder: async () => undefined,
  link: async () => undefined,
  async file(_path, content) {
    for await (const _chunk of content);
  },
};

const makeFolder = (path: string) => mkdir(path, { recursive: true, mode: 0o700 });

/** Awaited in its turn; a failure before that is not an unhandled one. */
function begun(work: Promise<void>): Promise<void> {
  work.catch(() => undefined);
  return work;
}

async function told(path: string, write: (path: string) => Promise<unknown>): Promise<void> {
  try {
    await write(path);
  } catch (error) {
    throw fileFailure(error, "write", path);
  }
}
