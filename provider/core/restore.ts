import { z } from "zod";
import { StoreCredentialsSchema } from "./store-credentials";
import { DecryptionKeySchema } from "./encryption";

/**
 * Where an add-on's data shall come from, as a program or a person says it: a backup of an add-on of the same place, or
 * one that a URL leads to, of a catalog (`<destination>/<catalog>`) or of one archive. Recorded, so that one wish
 * restores once; it holds no secret.
 */
export const RestoreOriginSchema = z.union([
  z.object({
    addon: z.string(),
    /** A slot, a beginning of one that is no other's, `latest` or `latest-verified`. */
    backup: z.string(),
  }),
  z.object({
    url: z.string(),
    /** As above; of an archive's URL, which names it already, `latest`. */
    backup: z.string(),
  }),
]);
export type RestoreOrigin = z.infer<typeof RestoreOriginSchema>;

/** One stored backup, found. */
export const RestoreSourceSchema = z
  .discriminatedUnion("kind", [
    z.object({
      kind: z.literal("backup"),
      /** A store's URL, and the catalog below it. */
      destination: z.string().min(1),
      catalogKey: z.string().min(1),
      /** As names spell it. */
      slot: z.string().min(1),
    }),
    /** An archive that lies without its manifest: nothing says what it must hold but what is in it. */
    z.object({ kind: z.literal("archive"), url: z.string().min(1) }),
    /** A snapshot that some server has written: bare, packed by gzip, or the only one in a tar. */
    z.object({ kind: z.literal("snapshot"), url: z.string().min(1) }),
  ])
  .and(
    z.object({
      /** For a store that asks for them; absent: what the environment and the user's files say. */
      credentials: StoreCredentialsSchema.exactOptional(),
      /** Opens an encrypted archive. */
      key: DecryptionKeySchema.exactOptional(),
    }),
  );
export type RestoreSource = z.infer<typeof RestoreSourceSchema>;

const CountSchema = z.number().int().nonnegative();

/** A restore that was begun, and is completed or undone by whoever finds it. */
export const RestoringSchema = z.object({
  from: RestoreOriginSchema,
  /** The slot that `from` was found to mean; of a lone archive, its file's name. */
  backup: z.string(),
  /** URL of the archive, without credentials. */
  archive: z.string(),
  /** ISO 8601. */
  since: z.string(),
  /** What a scratch server counted in it, where one did: the add-on's own server must find as much. */
  counts: z.object({ keys: CountSchema, expires: CountSchema }).exactOptional(),
  /** The slot of the verified backup of what is replaced; absent: there was nothing. */
  safetyBackup: z.string().exactOptional(),
});
export type Restoring = z.infer<typeof RestoringSchema>;

/** What an add-on was last restored from. */
export const RestoredSchema = RestoringSchema.pick({
  from: true,
  backup: true,
  archive: true,
  safetyBackup: true,
}).extend({
  /** ISO 8601: when the restored data were loaded and counted. */
  at: z.string(),
  keys: CountSchema.exactOptional(),
});
export type Restored = z.infer<typeof RestoredSchema>;
