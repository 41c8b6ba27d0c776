import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { type DestinationFault, parseS3Destination, type S3Destination } from "./s3-destination";

/** A folder of this machine. */
interface FileDestination {
  readonly kind: "file";
  /** Absolute. */
  readonly folder: string;
}

/** Where backups go: a place that a store can be opened on, by kind. */
export type Destination = FileDestination | S3Destination;

const FORMS =
  "Write file:// and an absolute folder, such as file:///var/backups/redis, or s3://bucket/prefix";

/** Reads a destination's URL, or says what is wrong with it in words that repeat no secret. */
export function parseDestination(url: string): Destination | DestinationFault {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(url)?.[1]?.toLowerCase();
  switch (scheme) {
    case undefined:
      return { kind: "fault", cause: "it is no URL", hint: FORMS };
    case "file":
      return parseFileDestination(url);
    case "s3":
      return parseS3Destination(url);
    default:
      // Whatever follows an unknown scheme may hold credentials.
      return { kind: "fault", cause: `${scheme}: is not supported`, hint: FORMS };
  }
}

function parseFileDestination(url: string): FileDestination | DestinationFault {
  const folder = folderOf(url);
  if (folder === undefined || !/^file:\/\//i.test(url))
    return { kind: "fault", cause: "it does not name a folder of this machine", hint: FORMS };
  if (folder === "/") return { kind: "fault", cause: "it names no folder", hint: FORMS };
  // The rest would be dropped without a word, and backups would go elsewhere.
  if (/[?#]/.test(url))
    return {
      kind: "fault",
      cause: "it has a ? or #",
      hint: "In a folder's name they are written %3F and %23",
    };
  return { kind: "file", folder: folder.replace(/(?<=.)\/+$/, "") };
}

/** The folders of a data home whose content comes and goes with add-ons, jobs and builds. */
export function workingFolders(
  home: Readonly<Record<"addons" | "trash" | "jobs" | "programs" | "servers", string>>,
): string[] {
  return [home.addons, home.trash, home.jobs, home.programs, home.servers];
}

/**
 * Why backups must not go to a destination, and what to do; absent: they may. A final backup among an add-on's own
 * files would be deleted with them, right after it was reported. Links are followed, also above folders that are still
 * to be made.
 *
 * @param realpath the system's; it fails for what isn't there. It may hang as long as a network share does.
 */
export async function destinationProblem(
  destination: string,
  offLimits: readonly string[],
  realpath: (path: string) => Promise<string>,
): Promise<{ readonly cause: string; readonly hint: string } | undefined> {
  const folder = folderOf(destination);
  if (folder === undefined) return undefined;
  const real = await resolved(folder, realpath);
  for (const own of offLimits)
    if (isWithin(await resolved(own, realpath), real))
      return {
        cause: `its destination ${folder} lies in ${own}, where backups would be deleted with the add-on`,
        hint: "Give its BackupPolicy a destination outside of the data home's own folders, such as file:///var/backups/redis, or leave it out",
      };
  return undefined;
}

/** Stores elsewhere are in nobody's folder; what is no file URL at all is refused when it is opened. */
function folderOf(destination: string): string | undefined {
  try {
    return fileURLToPath(destination);
  } catch {
    return undefined;
  }
}

async function resolved(path: string, realpath: (path: string) => Promise<string>): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await resolved(parent, realpath), basename(path));
  }
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
