import { statfs } from "node:fs/promises";

/** What the file system of a folder has left for this user; throws for a folder that isn't there, or not for us. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
