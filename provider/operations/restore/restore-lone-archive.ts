import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseDestination } from "../../core/destination";
import { Failure } from "../../core/errors";
import type { RestorePlace } from "../../core/restore-url";
import { s3Url } from "../../core/s3-destination";
import type { Task } from "../../core/task";
import { openStore } from "../../stores/open";
import { keyOf } from "./restore-key";
import type { ResolvedRestore, RestoreSecrets } from "./restore-source";

type ArchivePlace = Extract<RestorePlace, { kind: "archive" }>;

/** An archive without a manifest: all that can be known of it beforehand is whether it is there. */
export async function loneArchive(
  url: string,
  place: ArchivePlace,
  secrets: RestoreSecrets,
  task: Pick<Task, "signal">,
): Promise<ResolvedRestore> {
  const archive = shown(url);
  const why = await absence(url, place, secrets, task);
  if (why !== undefined)
    throw new Failure({
      code: "no-such-backup",
      operation: "restore from",
      subject: archive,
      cause: why,
      hint: "Check the URL",
    });
  const { credentials } = secrets;
  const key = await keyOf(place.file.endsWith(".age") ? "unknown" : undefined, secrets, archive);
  return {
    source: {
      kind: "archive",
      url,
      ...(credentials === undefined ? {} : { credentials }),
      ...(key === undefined ? {} : { key }),
    },
    backup: place.file,
    archive,
    passedOver: [],
  };
}

/** Why there is no such archive; absent: there is, or only fetching it can tell. */
async function absence(
  url: string,
  { within, file }: ArchivePlace,
  { credentials }: RestoreSecrets,
  { signal }: Pick<Task, "signal">,
): Promise<string | undefined> {
  if (parseDestination(url).kind === "file") {
    const found = await stat(fileURLToPath(url)).catch((error: NodeJS.ErrnoException) => error);
    if (found instanceof Error) return found.code === "ENOENT" ? "there is no such file" : found.message;
    return found.isFile() ? undefined : "it is no file";
  }
  if (within === undefined) return undefined;
  const store = await openStore(within.destination, credentials);
  const key = `${within.catalogKey}/${file}`;
  const stored = await store.list(key, signal);
  return stored.some((object) => object.key === key) ? undefined : "there is no such object";
}

function shown(url: string): string {
  const parsed = parseDestination(url);
  return parsed.kind === "s3" ? s3Url(parsed) : url;
}
