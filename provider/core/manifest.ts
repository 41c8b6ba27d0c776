import { z } from "zod";
import { parseSlot } from "./slot";

const Sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);
const BytesSchema = z.number().int().nonnegative();
const SlotSchema = z.string().refine((text) => parseSlot(text) !== undefined, "no slot: YYYYMMDDTHHMMSSmmmZ");
const InstantSchema = z.iso.datetime();

const BACKUP_REASONS = ["scheduled", "demand", "final"] as const;
export type BackupReason = (typeof BACKUP_REASONS)[number];

/**
 * What makes an archive a backup: a wire format, read by other versions than the one that wrote it. So it is strict
 * about what a reader relies on and lets fields pass that it doesn't know. Instants are ISO 8601 in UTC.
 */
export const ManifestSchema = z.looseObject({
  format: z.literal(1),
  addon: z.looseObject({ name: z.string().min(1), catalogKey: z.string().min(1) }),
  slot: SlotSchema,
  reason: z.enum(BACKUP_REASONS),
  /** The archive's name beside this manifest, and what it is made of. */
  archive: z.looseObject({ name: z.string().min(1), sizeBytes: BytesSchema, sha256: Sha256Schema }),
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

/** `attempt` tells two machines apart that back up one slot at the same time: random, without a dot or a slash. */
export function archiveKey(catalogKey: string, slot: string, attempt: string): string {
  return `${catalogKey}/${slot}-${attempt}.tar.gz`;
}

export type CatalogObject =
  | { readonly kind: "manifest" | "verification" | "pin"; readonly slot: string }
  | { readonly kind: "archive"; readonly slot: string; readonly attempt: string };

/** What an object beside a manifest is, by its name without the catalog's key; undefined for a stranger's file. */
export function parseObjectName(name: string): CatalogObject | undefined {
  const parts =
    /^(\d{8}T\d{9}Z)(?:(\.json)|(\.verified\.json)|(\.pin)|-([A-Za-z0-9]+)\.tar\.gz(?:\.age)?)$/.exec(name);
  const slot = parts?.[1];
  if (parts === null || slot === undefined || parseSlot(slot) === undefined) return undefined;
  if (parts[2] !== undefined) return { kind: "manifest", slot };
  if (parts[3] !== undefined) return { kind: "verification", slot };
  if (parts[4] !== undefined) return { kind: "pin", slot };
  return { kind: "archive", slot, attempt: parts[5] ?? "" };
}
