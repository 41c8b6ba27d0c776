import { access, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Failure } from "../../core/errors";
import { AddonRecordSchema, type AddonRecord } from "../../core/facets";
import { nameProblem } from "../../core/addon-name";
import { unusableHome, type HomeLayout } from "./home";

/**
 * The names of all add-ons recorded in a data home, sorted; also those whose record can't be read. A folder without a
 * record is none: a create that was cut off has left it. Those in `known` had one a moment ago and are not asked again,
 * as long as they have their folder.
 */
export async function recordedNames(
  layout: HomeLayout,
  known: ReadonlySet<string> = new Set(),
): Promise<string[]> {
  const entries = await readdir(layout.addons).catch(async (error: NodeJS.ErrnoException) => {
    if (isAbsent(error)) return [];
    throw await unusableHome(layout, error.message);
  });
  const names = entries.filter((entry) => nameProblem(entry) === undefined).sort();
  const recorded = await Promise.all(
    names.map(async (name) => known.has(name) || exists(join(layout.addons, name, "record.json"))),
  );
  return names.filter((_, i) => recorded[i]);
}

const PortSchema = z.object({ server: z.object({ wish: z.object({ port: z.number() }) }) });

/**
 * Which ports belong to which add-ons but this one. A record that this version can't read keeps nobody else from being
 * made; the port is taken from it where it can be found.
 */
export async function recordedPorts(layout: HomeLayout, except: string): Promise<Map<number, string>> {
  const ports = new Map<number, string>();
  for (const name of await recordedNames(layout)) {
    if (name === except) continue;
    const text = await readFile(layout.addon(name).record, "utf8").catch(() => "");
    const found = PortSchema.safeParse(fromJson(text));
    if (found.success) ports.set(found.data.server.wish.port, name);
  }
  return ports;
}

/** An add-on's record; absent: there is none. Records are replaced by rename, so a reader needs no lock. */
export async function readRecord(layout: HomeLayout, name: string): Promise<AddonRecord | undefined> {
  // An id comes from a state that anybody may have edited: it must not lead out of the data home.
  if (nameProblem(name) !== undefined) return undefined;
  const path = layout.addon(name).record;
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (isAbsent(error)) return undefined;
    throw unreadable(name, error.message, "Give the file back to the user who runs this");
  });
  if (text === undefined) return undefined;
  const json = fromJson(text);
  const record = AddonRecordSchema.safeParse(json);
  if (record.success) return record.data;
  throw unreadable(
    name,
    `${path} is not a record that this version understands (${json === undefined ? "not JSON" : "unexpected fields"})`,
    "Use the version of pulumi-redis-addon that wrote it, or a newer one",
  );
}

function unreadable(name: string, cause: string, hint: string): Failure {
  return new Failure({
    code: "record-unreadable",
    operation: "read the record of",
    subject: name,
    cause,
    hint,
  });
}

/** ENOTDIR: a data home that was named below a file holds nothing either, and its own check says so. */
function isAbsent(error: NodeJS.ErrnoException): boolean {
  return error.code === "ENOENT" || error.code === "ENOTDIR";
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => !isAbsent(error),
  );
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
