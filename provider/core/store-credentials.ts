import { z } from "zod";

/** The keys of an S3-compatible store. */
export const StoreCredentialsSchema = z.strictObject({
  accessKeyId: z.string().min(1, { error: "write the access key's id" }),
  secretAccessKey: z.string().min(1, { error: "write the secret access key" }),
  /** Of temporary keys alone. */
  sessionToken: z.string().min(1).optional(),
});
export type StoreCredentials = z.infer<typeof StoreCredentialsSchema>;
