import { z } from "zod";
import { BackupsWishSchema, type AddonRecord } from "../../core/facets";
import type { Platform } from "../../platforms/contract";
import { homeOf } from "../home-guard";
import type { RecordedRest } from "../facet-lifecycle";
import { recordedShape } from "../recorded";

/** Of inputs and outputs, whatever the program says. */
export const BACKUP_POLICY_SECRETS = [
  "credentials.secretAccessKey",
  "credentials.sessionToken",
  "encryption.passphrase",
  "alerts.webhook",
] as const;

/** What a BackupPolicy records. Loose: a newer version's additions pass through older code. */
export const BackupPolicyState = z.looseObject({
  ...recordedShape,
  ...BackupsWishSchema.shape,
  // A state must stay readable where a newer version takes what this one's schemas refuse.
  schedule: z.record(z.string(), z.unknown()),
  retention: z.record(z.string(), z.unknown()),
  credentials: z.record(z.string(), z.unknown()).optional(),
  encryption: z.record(z.string(), z.unknown()).optional(),
  alerts: z.record(z.string(), z.unknown()).optional(),
  addon: z.string(),
});
export type BackupPolicyState = z.infer<typeof BackupPolicyState>;

export async function policyState(
  platform: Platform,
  { name, backups }: AddonRecord,
  rest: RecordedRest,
): Promise<BackupPolicyState> {
  if (backups === undefined) throw new Error(`the record of ${name} lost its backup policy`);
  return {
    addon: name,
    ...backups.wish,
    platform: rest.platform,
    __instance: rest.token,
    __home: await homeOf(platform, name),
    __phase: rest.phase,
    __given: [...rest.given],
  };
}
