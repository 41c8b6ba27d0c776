import { z } from "zod";
import type { DecryptionKey } from "../../core/encryption";
import type { RestoreOrigin } from "../../core/restore";
import { parseRestoreUrl } from "../../core/restore-url";
import { StoreCredentialsSchema } from "../../core/store-credentials";
import { addonReference } from "../choices";

/** Of inputs and outputs, whatever the program says. */
export const RESTORE_SECRETS = [
  "restoreFrom.key.passphrase",
  "restoreFrom.key.identities",
  "restoreFrom.credentials.secretAccessKey",
  "restoreFrom.credentials.sessionToken",
] as const;

const WHICH =
  'write "latest", "latest-verified", or the backup\'s name or a beginning of it, such as "20260501"';
const KEY = "give the archive's { passphrase }, or { identities: [...] } as age-keygen makes them";

const Which = z
  .string({ error: WHICH })
  .regex(/^(?:latest|latest-verified|\d{4}[0-9TZ]{0,15})$/, { error: WHICH })
  .default("latest");

const Key = z
  .strictObject(
    {
      passphrase: z.string({ error: KEY }).min(1, { error: KEY }).optional(),
      identities: z
        // The reason must not repeat what was given.
        .array(z.string({ error: KEY }).regex(/^\s*AGE-SECRET-KEY-/, { error: KEY }), { error: KEY })
        .min(1, { error: KEY })
        .optional(),
    },
    { error: KEY },
  )
  .refine(({ passphrase, identities }) => (passphrase === undefined) !== (identities === undefined), {
    error: KEY,
  });

const FromAddon = z.strictObject({
  addon: addonReference("the add-on whose backup it is"),
  backup: Which,
  key: Key.optional(),
});

const FromUrl = z
  .strictObject({
    url: z
      .string({ error: "write the URL of a catalog, <destination>/<catalog>, or of an archive" })
      .superRefine((url, context) => {
        const place = parseRestoreUrl(url);
        if (place.kind === "fault")
          context.addIssue({ code: "custom", message: `${place.cause}. ${place.hint}` });
      }),
    backup: Which,
    credentials: StoreCredentialsSchema.optional(),
    key: Key.optional(),
  })
  .superRefine(({ url, backup }, context) => {
    if (backup !== "latest" && parseRestoreUrl(url).kind === "archive")
      context.addIssue({
        code: "custom",
        path: ["backup"],
        message: "the URL is that of one archive: leave `backup` out, or give the URL of its catalog",
      });
  });

const FORMS = "write { addon } or { url }, and which `backup` of it";

export type RestoreInput = z.infer<typeof FromAddon> | z.infer<typeof FromUrl>;

/** Not a union: its failure says that neither form fits, and a person wants to know what is wrong with theirs. */
export const RestoreInput = z
  .unknown()
  .transform((given, context): RestoreInput => {
    const isObject = typeof given === "object" && given !== null;
    if (!isObject || "addon" in given === "url" in given) {
      context.addIssue({ code: "custom", message: FORMS });
      return z.NEVER;
    }
    const result = "addon" in given ? FromAddon.safeParse(given) : FromUrl.safeParse(given);
    if (result.success) return result.data;
    for (const { path, message } of result.error.issues)
      context.addIssue({ code: "custom", path: [...path], message });
    return z.NEVER;
  })
  .optional();

/** What is asked for, without its secrets. */
export function originOf(input: RestoreInput): RestoreOrigin {
  const { backup } = input;
  return "addon" in input ? { addon: input.addon, backup } : { url: input.url, backup };
}

/** What opens place and archive, where the program says so. */
export function secretsOf(input: RestoreInput) {
  const { key } = input;
  return { credentials: "url" in input ? input.credentials : undefined, key: key && decryptionKey(key) };
}

function decryptionKey({ passphrase, identities = [] }: z.infer<typeof Key>): DecryptionKey {
  return passphrase === undefined ? { identities } : { passphrase };
}
