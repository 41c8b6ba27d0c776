import { z } from "zod";

const RECIPIENT =
  "a recipient is age1 and 58 characters, or begins with age1pq1, age1tag1 or age1tagpq1; " +
  "`age-keygen` makes one with its identity";
const MIXED =
  "post-quantum recipients (age1pq1, age1tagpq1) go alone: any other beside them undoes their protection";

/** Its checksum is looked at where it is used. */
const RecipientSchema = z
  .string()
  .regex(/^age1(?:[02-9ac-hj-np-z]{58}|(?:pq|tag|tagpq)1[02-9ac-hj-np-z]{59,})$/, { error: RECIPIENT });

/**
 * To whom an archive is encrypted, in the format of https://age-encryption.org/v1: to the owners of keys, none of which
 * this machine has to know, or to whoever knows a passphrase.
 */
export const EncryptionSchema = z.union([
  z.strictObject({
    recipients: z
      .array(RecipientSchema)
      .min(1, { error: RECIPIENT })
      .refine((all) => all.every(isPostQuantum) || !all.some(isPostQuantum), { error: MIXED }),
  }),
  z.strictObject({ passphrase: z.string().min(1, { error: "write a passphrase" }) }),
]);
export type Encryption = z.infer<typeof EncryptionSchema>;

/** Whether a recipient's key is one that a quantum computer can't break either. */
export function isPostQuantum(recipient: string): boolean {
  return /^age1(?:tag)?pq1/.test(recipient);
}

/** What opens an encrypted archive: secret identities (`AGE-SECRET-KEY-…`), or the passphrase. */
export const DecryptionKeySchema = z.union([
  z.strictObject({ identities: z.array(z.string().min(1)).min(1) }),
  z.strictObject({ passphrase: z.string().min(1) }),
]);
export type DecryptionKey = z.infer<typeof DecryptionKeySchema>;
