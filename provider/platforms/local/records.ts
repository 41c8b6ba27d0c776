import { readdir, readFile } from "node:fs/promises";
import { Failure } from "../../core/errors";
import { AddonRecordSchema, type AddonRecord } from "../../core/facets";
import { nameProblem } from "../../core/addon-name";
import type { HomeLayout } from "./home";

/** The names of all add-ons recorded in a data home, sorted. */
export async function recordedNames(layout: HomeLayout): Promise<string[]> {
  const entries = await readdir(layout.addons).catch(() => []);
  return entries.filter((entry) => nameProblem(entry) === undefined).sort();
}

/** An add-on's record; absent: there is none. Records are replaced by rename, so a reader needs no lock. */
export async function readRecord(layout: HomeLayout, name: string): Promise<AddonRecord | undefined> {
  // An id comes from a state that anybody may have edited: it must not lead out of the data home.
  if (nameProblem(name) !== undefined) return undefined;
  const path = layout.addon(name).record;
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return AddonRecordSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new Failure({
      code: "record-unreadable",
      operation: "read the record of",
      subject: name,
      cause: `${path} is not a record that this version understands (${error instanceof SyntaxError ? "not JSON" : "unexpected fields"})`,
      hint: "Use the version of pulumi-redis-addon that wrote it, or a newer one",
    });
  }
}
