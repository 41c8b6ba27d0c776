import { z } from "zod";

const RECIPIENT = "a recipient begins with age1; `age-keygen` makes one with its identity";

/**
 * To whom an archive is encrypted, in the format of https://age-encryption.org/v1: to the owners of keys, none of which
 * this machine has to know, or to whoever knows a passphrase.
 */
export const EncryptionSchema = z.union([
  z.strictObject({
    recipients: z
      .array(z.string().regex(/^age1[a-z0-9]+$/, { error: RECIPIENT }))
      .min(1, { error: RECIPIENT }),
  }),
  z.strictObject({ passphrase: z.string().min(1, { error: "write a passphrase" }) }),
]);
export type Encryption = z.infer<typeof EncryptionSchema>;

/** What opens an encrypted archive: secret identities (`AGE-SECRET-KEY-…`), or the passphrase. */
export const DecryptionKeySchema = z.union([
  z.strictObject({ identities: z.array(z.string().min(1)).min(1) }),
  z.strictObject({ passphrase: z.string().min(1) }),
]);
export type DecryptionKey = z.infer<typeof DecryptionKeySchema>;
