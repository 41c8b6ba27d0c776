import { z } from "zod";
import { parseSlot, SLOT_LENGTH } from "./slot";
import { outcomeOf, type VerificationOutcome } from "./verification";

const Sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);
const BytesSchema = z.number().int().nonnegative();
const SlotSchema = z.string().refine((text) => parseSlot(text) !== undefined, "no slot: YYYYMMDDTHHMMSSmmmZ");
/** It comes from a store where others may write: as a file's name it must not lead out of a folder. */
const ArchiveNameSchema = z.string().regex(/^\d{8}T\d{9}Z-[A-Za-z0-9]+\.tar\.gz(?:\.age)?$/);
const InstantSchema = z.iso.datetime();

const BACKUP_REASONS = ["scheduled", "demand", "final"] as const;
export type BackupReason = (typeof BACKUP_REASONS)[number];

/**
 * What somebody else's wish made a backup necessary for. `safety`: of data that were about to be replaced; whoever asks
 * for the latest data doesn't mean these. `upgrade`: of what an older server wrote last, before a newer one took it over.
 */
export const BACKUP_PURPOSES = ["safety", "upgrade"] as const;
export type BackupPurpose = (typeof BACKUP_PURPOSES)[number];

/**
 * What makes an archive a backup: a wire format, read by other versions than the one that wrote it. So it is strict
 * about what a reader relies on and lets fields pass that it doesn't know. Instants are ISO 8601 in UTC.
 */
export const ManifestSchema = z.looseObject({
  format: z.literal(1),
  addon: z.looseObject({ name: z.string().min(1), catalogKey: z.string().min(1) }),
  slot: SlotSchema,
  reason: z.enum(BACKUP_REASONS),
  /** One of `BACKUP_PURPOSES`, or one that a newer version has; absent: none in particular. */
  purpose: z.string().optional(),
  /** The archive's name beside this manifest, and what it is made of. */
  archive: z.looseObject({ name: ArchiveNameSchema, sizeBytes: BytesSchema, sha256: Sha256Schema }),
  /** How the archive is encrypted; absent: it isn't. Its size and hash are then those of the encrypted bytes. */
  encryption: z
    .looseObject({
      format: z.literal("age"),
      /** The public keys that it was encrypted to; absent: to a passphrase. */
      recipients: z.array(z.string()).optional(),
    })
    .optional(),
  /** The regular files in the archive, in its order; hard links are not listed. */
  files: z.array(z.looseObject({ path: z.string().min(1), sizeBytes: BytesSchema, sha256: Sha256Schema })),
  /** The instant of the snapshot, as near as the taker can tell: when the leader announced its offset. */
  takenAt: InstantSchema,
  finishedAt: InstantSchema,
  /** The data are those of this replication stream at exactly this offset. */
  replication: z.looseObject({ id: z.string().min(1), offset: z.number().int().nonnegative() }),
  server: z.looseObject({ name: z.enum(["redis", "valkey"]), version: z.string().min(1) }),
  /** `magic` is the file's first nine characters, `REDIS0010` or `VALKEY080`: versions compare within one family only. */
  rdb: z.looseObject({ magic: z.string().length(9), version: z.number().int(), sizeBytes: BytesSchema }),
  /** How many databases the server was configured with, where the taker knew. */
  databases: z.number().int().positive().optional(),
  /** Memory in use, as the snapshot itself records it. */
  usedMemoryBytes: BytesSchema.optional(),
  /** Key counts; approximate, because writes go on between the question and the snapshot. */
  keyspace: z
    .looseObject({
      source: z.literal("INFO before the snapshot"),
      keys: BytesSchema,
      databases: z.record(z.string(), z.looseObject({ keys: BytesSchema, expires: BytesSchema })),
    })
    .optional(),
});
export type Manifest = z.infer<typeof ManifestSchema>;

export function manifestKey(catalogKey: string, slot: string): string {
  return `${catalogKey}/${slot}.json`;
}

export function pinKey(catalogKey: string, slot: string): string {
  return `${catalogKey}/${slot}.pin`;
}

/** What a restore that reads a backup puts beside it; `id` is random, of letters and digits: several may read one. */
export function holdKey(catalogKey: string, slot: string, id: string): string {
  return `${catalogKey}/${slot}.restoring-${id}`;
}

/** `attempt` tells two machines apart that back up one slot at the same time: random, without a dot or a slash. */
export function archiveKey(catalogKey: string, slot: string, attempt: string, encrypted: boolean): string {
  return `${catalogKey}/${slot}-${attempt}.tar.gz${encrypted ? ".age" : ""}`;
}

export type CatalogObject =
  | { readonly kind: "manifest" | "pin" | "hold"; readonly slot: string }
  | { readonly kind: "verification"; readonly slot: string; readonly outcome: VerificationOutcome }
  | { readonly kind: "archive"; readonly slot: string; readonly attempt: string };

/** What an object beside a manifest is, by its name without the catalog's key; undefined for a stranger's file. */
export function parseObjectName(name: string): CatalogObject | undefined {
  const slot = name.slice(0, SLOT_LENGTH);
  return parseSlot(slot) === undefined ? undefined : parseEnding(slot, name.slice(SLOT_LENGTH));
}

/** The same, where the slot was parsed already: `ending` is the rest of the name. */
export function parseEnding(slot: string, ending: string): CatalogObject | undefined {
  if (ending === ".json") return { kind: "manifest", slot };
  const attempt = /^-([A-Za-z0-9]+)\.tar\.gz(?:\.age)?$/.exec(ending)?.[1];
  if (attempt !== undefined) return { kind: "archive", slot, attempt };
  const outcome = outcomeOf(ending);
  if (outcome !== undefined) return { kind: "verification", slot, outcome };
  if (ending === ".pin") return { kind: "pin", slot };
  return /^\.restoring-[A-Za-z0-9]+$/.test(ending) ? { kind: "hold", slot } : undefined;
}
