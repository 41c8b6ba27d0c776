import { dirname } from "node:path";
import type { Room } from "../redis/replication/ask-place";
import { freeBytes } from "../system/free-bytes";
import type { CaptureSource } from "./source";

/** The room that there is for a snapshot at this moment, on the disks that can be seen from here. */
export async function roomFor(source: CaptureSource, scratchFolder: string): Promise<Room> {
  const { dataFolder, acceptDisk } = source;
  return {
    ...(dataFolder === undefined ? {} : { leaderFolderFreeBytes: await freeBytesOf(dataFolder) }),
    scratchFreeBytes: await freeBytesFor(scratchFolder),
    scratchFolder,
    acceptDisk,
  };
}

/** On the disk where a folder is, or will be once it is made. Absent where nobody can tell. */
async function freeBytesFor(folder: string): Promise<number | undefined> {
  return (
    (await freeBytesOf(folder)) ?? (dirname(folder) === folder ? undefined : freeBytesFor(dirname(folder)))
  );
}

/** Absent for a folder that isn't there, or not for us. */
async function freeBytesOf(folder: string): Promise<number | undefined> {
  return freeBytes(folder).catch(() => undefined);
}
