import { z } from "zod";
import { parseDestination } from "../../core/destination";
import { EncryptionSchema } from "../../core/encryption";
import { DEFAULT_BACKUPS, TIERS, type BackupsWish } from "../../core/facets";
import { RetentionSchema } from "../../core/retention";
import { ScheduleSchema } from "../../core/schedule";
import { StoreCredentialsSchema } from "../../core/store-credentials";
import { addonReference } from "../choices";
import { PlatformInput } from "../recorded";

const Destination = z
  .string({ error: "write a URL such as file:///var/backups/redis or s3://bucket/prefix" })
  .check(({ value, issues }) => {
    const parsed = parseDestination(value);
    if (parsed.kind === "fault")
      issues.push({ code: "custom", message: `${parsed.cause}. ${parsed.hint}`, input: value });
  });

export const backupPolicyShape = {
  addon: addonReference("the add-on to back up"),
  schedule: ScheduleSchema.default(DEFAULT_BACKUPS.schedule),
  retention: RetentionSchema.default(DEFAULT_BACKUPS.retention),
  destination: Destination.optional(),
  credentials: StoreCredentialsSchema.optional(),
  encryption: EncryptionSchema.optional(),
  platform: PlatformInput,
};

const BackupPolicyInputs = z.object(backupPolicyShape);
export type BackupPolicyInputs = z.infer<typeof BackupPolicyInputs>;

/** The tier of the add-on, which the SDK class takes from the resource: in a first preview nothing is recorded yet. */
export const TierHint = z.enum(TIERS).optional().catch(undefined);

/** Absent while a part of it is unknown. */
export function backupsWish(inputs: Partial<BackupPolicyInputs>): BackupsWish | undefined {
  const { schedule, retention, destination, credentials, encryption } = inputs;
  if (schedule === undefined || retention === undefined) return undefined;
  return {
    ...{ schedule, retention },
    ...(destination === undefined ? {} : { destination }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(encryption === undefined ? {} : { encryption }),
  };
}
