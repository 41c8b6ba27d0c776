import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Room } from "../redis/replication/ask-place";
import type { CaptureSource } from "./source";

/** The room that there is for a snapshot at this moment, on the disks that can be seen from here. */
export async function roomFor(source: CaptureSource, scratchFolder: string): Promise<Room> {
  const { dataFolder, acceptDisk } = source;
  return {
    ...(dataFolder === undefined ? {} : { leaderFolderFreeBytes: await freeBytes(dataFolder) }),
    scratchFreeBytes: await freeBytesFor(scratchFolder),
    scratchFolder,
    acceptDisk,
  };
}

/** On the disk where a folder is, or will be once it is made. Absent where nobody can tell. */
export async function freeBytesFor(folder: string): Promise<number | undefined> {
  return (
    (await freeBytes(folder)) ?? (dirname(folder) === folder ? undefined : freeBytesFor(dirname(folder)))
  );
}

/** Absent for a folder that isn't there, or not for us. */
async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
