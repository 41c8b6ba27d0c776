import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { AddonRecordSchema, type AddonRecord } from "../../core/facets";
import type { AddonLayout } from "../../platforms/local/home";
import { writeDurably } from "../../system/files";

/**
 * What an add-on's server ran as before a change, kept until one runs as changed: a change that no server can run with
 * is undone, also by the next agent. It holds passwords, as the record does.
 */
const FallbackSchema = AddonRecordSchema.pick({ server: true, credentials: true }).extend({
  /** The slot of the backup that was taken before the change. */
  backup: z.string().exactOptional(),
});
export type Fallback = z.infer<typeof FallbackSchema>;

export async function readFallback(files: AddonLayout): Promise<Fallback | undefined> {
  const text = await readFile(pathOf(files), "utf8").catch(() => undefined);
  try {
    return text === undefined ? undefined : FallbackSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Call it before the change is recorded. A change of what never ran keeps the last that did. */
export async function keepFallback(
  files: AddonLayout,
  { server, credentials }: AddonRecord,
  backup: string | undefined,
): Promise<void> {
  const kept = await readFallback(files);
  const slot = backup ?? kept?.backup;
  const fallback = {
    ...(kept ?? { server, credentials }),
    ...(slot === undefined ? {} : { backup: slot }),
  };
  await writeDurably(pathOf(files), JSON.stringify(fallback), 0o600);
}

/** A server runs as recorded: there is nothing to go back to, unless a change is just about to be recorded. */
export async function dropFallback(files: AddonLayout, placed: AddonRecord): Promise<void> {
  const kept = await readFallback(files);
  if (kept !== undefined && !runsAlike(kept, placed)) await rm(pathOf(files), { force: true });
}

/** The record with its server as it was before the change; absent: there is nothing else to go back to. */
export function beforeChange(failed: AddonRecord, fallback: Fallback): AddonRecord | undefined {
  if (runsAlike(fallback, failed)) return undefined;
  const { credentials, server } = fallback;
  // Whoever asked for the change still owns the add-on.
  return { ...failed, credentials, server: { ...server, instance: failed.server.instance } };
}

export function runsAlike(
  a: Pick<AddonRecord, "server" | "credentials">,
  b: Pick<AddonRecord, "server" | "credentials">,
): boolean {
  const [left, right] = [a, b].map(({ server, credentials }) => JSON.stringify([server.wish, credentials]));
  return left === right;
}

function pathOf(files: AddonLayout): string {
  return join(files.root, "fallback.json");
}
