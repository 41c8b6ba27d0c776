import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { DataPositionSchema } from "../../core/data-position";
import type { AddonLayout } from "./home";

/**
 * How far the data of a leader with followers are known to have come, written by the agent alone: a leader that comes
 * back with less must not be copied. Whoever puts other data in place on purpose removes it.
 */
const DataMarkSchema = z.object({
  /** When its data were last seen to be in order, and where; absent: nobody had looked. */
  seen: z
    .object({
      /** ISO 8601. */
      at: z.string(),
      position: DataPositionSchema,
      keys: z.number().int().exactOptional(),
    })
    .exactOptional(),
  /** A server was launched, and nobody has compared what it loaded. */
  unchecked: z.literal(true).exactOptional(),
  /** Nobody may copy what it has. */
  distrusted: z
    .object({
      found: z.enum(["older", "other", "gone", "unknown"]),
      /** ISO 8601. */
      since: z.string(),
      /** A sentence that says so to a person. */
      why: z.string(),
    })
    .exactOptional(),
});
export type DataMark = z.infer<typeof DataMarkSchema>;

/**
 * Absent: its data were never seen while it had followers, or somebody trusts whatever it has. One that is damaged says
 * at least that its followers have something to lose; one that can't be read now is an error.
 */
export async function readDataMark(files: AddonLayout): Promise<DataMark | undefined> {
  const path = dataMarkPath(files);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  });
  if (text === undefined) return undefined;
  try {
    return DataMarkSchema.parse(JSON.parse(text));
  } catch {
    const since = await stat(path).then(
      ({ mtime }) => mtime.toISOString(),
      () => new Date(0).toISOString(),
    );
    return { distrusted: { found: "unknown", since, why: `what was known of its data is damaged: ${path}` } };
  }
}

export function dataMarkPath(files: AddonLayout): string {
  return join(files.root, "data-mark.json");
}
