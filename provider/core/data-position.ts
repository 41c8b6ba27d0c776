import { z } from "zod";

/** A file of an AOF: its sequence, which only grows, and how far it goes. */
const AofFileSchema = z.object({
  seq: z.number().int(),
  sizeBytes: z.number().int(),
  /** A digest of the last bytes before `sizeBytes`: another file may have as many, and hardly the same. */
  tail: z.string(),
});
export type AofFile = z.infer<typeof AofFileSchema>;

const AofPositionSchema = z.object({
  /** The folder's inode: a copy is another folder. */
  folder: z.string(),
  /** What a rewrite has left; it never changes again. Absent: there is none yet. */
  base: AofFileSchema.exactOptional(),
  /** What is appended to. */
  incr: AofFileSchema.exactOptional(),
});

/** How far an add-on's AOF goes. */
export type AofPosition = z.infer<typeof AofPositionSchema>;

/** Where the data of an add-on were, and how far they went. */
export const DataPositionSchema = z.discriminatedUnion("lie", [
  z.object({ lie: z.literal("aof"), aof: AofPositionSchema }),
  /** In the server's memory alone. */
  z.object({ lie: z.literal("memory") }),
  /** In the file that such a server wrote as it left; a snapshot ends with a digest of all of it. */
  z.object({ lie: z.literal("snapshot"), sizeBytes: z.number().int(), tail: z.string() }),
]);
export type DataPosition = z.infer<typeof DataPositionSchema>;

/** What lies on an add-on's disk now. `writtenAt`: when its oldest part was, in milliseconds since the Unix epoch. */
export type DataOnDisk =
  | {
      readonly lie: "aof";
      readonly aof: AofPosition;
      /** Of the newest file's bytes up to where it ended when it was last seen, if it is that file and as long. */
      readonly tailAtMark: string | undefined;
      readonly writtenAt: number;
    }
  | {
      readonly lie: "snapshot";
      readonly sizeBytes: number;
      readonly tail: string;
      readonly writtenAt: number;
    }
  | { readonly lie: "nowhere" };

/**
 * What becomes of data that were last seen at one position and are found at another. `proved`: they begin with all that
 * was there. `likely`: they have been written anew since, in the same place. `older`: less than was there. `other`: not
 * the same data. `gone`: none.
 */
export type Continuation = "proved" | "likely" | "older" | "other" | "gone";

/** `seenAt`: when they were at `seen`, in milliseconds since the Unix epoch. */
export function continuation(seen: DataPosition, seenAt: number, found: DataOnDisk): Continuation {
  if (found.lie === "nowhere") return "gone";
  if (found.lie === "aof" && seen.lie === "aof")
    return aofContinuation(seen.aof, found.aof, found.tailAtMark);
  if (found.lie === "snapshot" && seen.lie === "snapshot")
    if (found.sizeBytes === seen.sizeBytes && found.tail === seen.tail) return "proved";
  // How the data are kept was changed since: there is no more to compare than the time.
  return found.writtenAt >= seenAt ? "likely" : "older";
}

/**
 * Bytes are the evidence wherever there are any: a folder that was copied or moved is still the same data, and one that
 * was exchanged for another add-on's isn't, however far that had come. Only where a rewrite came in between there are
 * none, and it must be the same folder, in which sequences only grow.
 */
function aofContinuation(
  seen: AofPosition,
  found: AofPosition,
  tailAtMark: string | undefined,
): Continuation {
  const isSameBase = sequence(found.base) === sequence(seen.base);
  if (sequence(found.base) < sequence(seen.base)) return "older";
  if (sequence(found.incr) < sequence(seen.incr)) return "older";
  if (isSameBase && (found.base?.sizeBytes !== seen.base?.sizeBytes || found.base?.tail !== seen.base?.tail))
    return "other";
  if (sequence(found.incr) === sequence(seen.incr)) {
    const sizeBytes = seen.incr?.sizeBytes ?? 0;
    if ((found.incr?.sizeBytes ?? 0) < sizeBytes) return "older";
    if (sizeBytes > 0) return tailAtMark === seen.incr?.tail ? "proved" : "other";
    // Nothing had been appended: all of the data were in the base.
    if (isSameBase && seen.base !== undefined) return "proved";
  }
  return found.folder === seen.folder ? "likely" : "other";
}

function sequence(file: AofFile | undefined): number {
  return file?.seq ?? 0;
}

interface NamedFile {
  readonly name: string;
  readonly seq: number;
}

export interface AofManifest {
  readonly base: NamedFile | undefined;
  /** The one that is appended to. */
  readonly incr: NamedFile | undefined;
}

/** The manifest of an AOF, as Redis 7.0 and newer write it beside its files. What it doesn't understand it leaves out. */
export function parseAofManifest(text: string): AofManifest {
  return { base: newest(text, "b"), incr: newest(text, "i") };
}

function newest(manifest: string, type: "b" | "i"): NamedFile | undefined {
  const files = manifest.split("\n").flatMap((line) => {
    const [, name = "", seq, kind] = /^file (\S+) seq (\d+) type (\w)/.exec(line) ?? [];
    return kind === type ? [{ name, seq: Number(seq) }] : [];
  });
  return files.sort((a, b) => a.seq - b.seq).at(-1);
}
