import { link, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileFailure } from "../../stores/file-errors";
import type { ArchiveSink } from "./tar-read";

/** Writes an archive's entries into a folder, for this user alone. Nothing that exists is overwritten. */
export function extractInto(folder: string): ArchiveSink {
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
        for await (const chunk of content) await file.writeFile(chunk);
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

async function told(path: string, write: (path: string) => Promise<unknown>): Promise<void> {
  try {
    await write(path);
  } catch (error) {
    throw fileFailure(error, "write", path);
  }
}
