import { createHash } from "node:crypto";
import { open, readdir, readFile, stat, type FileHandle } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  parseAofManifest,
  type AofFile,
  type AofPosition,
  type DataOnDisk,
  type DataPosition,
} from "../../../core/data-position";
import type { AddonLayout } from "../../../platforms/local/home";
import { aofFolder, dumpFile, findData } from "../../server/data-files";

/** As much as proves that two files are one, and is read in no time. */
const TAIL_BYTES = 4096;

/**
 * What a server of the add-on would load, or has loaded and keeps; a few kilobytes are read, however large it is. A
 * server that runs may replace files at any moment: what was only half seen looks older than it is.
 */
export async function dataOnDisk(files: AddonLayout, seen: DataPosition | undefined): Promise<DataOnDisk> {
  const found = await findData(files);
  if (found === "nothing") return { lie: "nowhere" };
  if (found === "aof") return aofOnDisk(aofFolder(files), seen?.lie === "aof" ? seen.aof : undefined);
  const path = dumpFile(files);
  const { sizeBytes, tail, writtenAt } = await lookAt(path);
  return { lie: "snapshot", sizeBytes, tail, writtenAt };
}

async function aofOnDisk(folder: string, seen: AofPosition | undefined): Promise<DataOnDisk> {
  const inode = String((await stat(folder, { bigint: true })).ino);
  const name = (await readdir(folder)).find((file) => file.endsWith(".manifest")) ?? "";
  const { base, incr } = parseAofManifest(await readFile(join(folder, name), "utf8"));
  const look = async (file: typeof base, upTo?: number) =>
    file && { seq: file.seq, ...(await lookAt(join(folder, basename(file.name)), upTo)) };
  const [baseLook, incrLook] = [
    await look(base),
    await look(incr, seen?.incr?.seq === incr?.seq ? seen?.incr?.sizeBytes : undefined),
  ];
  return {
    lie: "aof",
    aof: {
      folder: inode,
      ...(baseLook === undefined ? {} : { base: fileOf(baseLook) }),
      ...(incrLook === undefined ? {} : { incr: fileOf(incrLook) }),
    },
    tailAtMark: incrLook?.tailUpTo,
    writtenAt: baseLook?.writtenAt ?? incrLook?.writtenAt ?? 0,
  };
}

function fileOf({ seq, sizeBytes, tail }: AofFile): AofFile {
  return { seq, sizeBytes, tail };
}

/** How far a file goes; `tailUpTo` is that of its first `upTo` bytes, absent where it has fewer. */
async function lookAt(path: string, upTo?: number) {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    // A rewrite has ended since its manifest was read; at a launch its server will refuse to start.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return { sizeBytes: 0, tail: "", tailUpTo: undefined, writtenAt: 0 };
  }
  try {
    const { size, mtimeMs } = await file.stat();
    const tailUpTo = upTo === undefined || upTo > size ? undefined : await tailAt(file, upTo);
    return { sizeBytes: size, tail: await tailAt(file, size), tailUpTo, writtenAt: mtimeMs };
  } finally {
    await file.close();
  }
}

async function tailAt(file: FileHandle, end: number): Promise<string> {
  const length = Math.min(TAIL_BYTES, end);
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, end - length);
  return createHash("sha256").update(buffer.subarray(0, bytesRead)).digest("hex").slice(0, 32);
}
