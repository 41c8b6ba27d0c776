import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { AddonRecord } from "../../core/facets";
import { followed } from "../../core/followed";
import { authority } from "../../core/uri";
import type { AddonLayout } from "./home";

/** What the agent notes of a follower each time that it comes into sync or falls out of it. */
const SyncNoteSchema = z.object({
  state: z.enum(["synced", "behind"]),
  /** ISO 8601: since when it has been in sync, or until when it was. */
  since: z.string(),
  /** `leaderKey` of whom it followed then: with another one it may never have been in sync. */
  leader: z.string(),
});
export type SyncNote = z.infer<typeof SyncNoteSchema>;

export function syncNotePath(files: AddonLayout): string {
  return join(files.root, "sync.json");
}

/** Absent: it was never in sync with the leader that it has, or follows nobody. */
export async function readSyncNote(files: AddonLayout, record: AddonRecord): Promise<SyncNote | undefined> {
  const text = await readFile(syncNotePath(files), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const note = SyncNoteSchema.parse(JSON.parse(text));
    return note.leader === leaderKey(record) ? note : undefined;
  } catch {
    // Cut off by a full disk: the agent finds out anew.
    return undefined;
  }
}

/** Whom an add-on follows, without secrets; absent: nobody. */
export function leaderKey(record: AddonRecord): string | undefined {
  const target = followed(record);
  if (target === undefined) return undefined;
  if (target.kind === "external") return authority(target.host, target.port);
  return `${target.addon} of ${target.createdAt ?? "unknown"}`;
}
