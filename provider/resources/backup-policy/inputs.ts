import { z } from "zod";
import { parseDestination } from "../../core/destination";
import { EncryptionSchema } from "../../core/encryption";
import { DEFAULT_BACKUPS, TIERS, type BackupsWish } from "../../core/facets";
import { RetentionSchema } from "../../core/retention";
import { ScheduleSchema } from "../../core/schedule";
import { StoreCredentialsSchema } from "../../core/store-credentials";
import { addonReference } from "../choices";
import { knownProperties } from "../known-properties";
import { PlatformInput } from "../recorded";

const Destination = z
  .string({ error: "write a URL such as file:///var/backups/redis or s3://bucket/prefix" })
  .check(({ value, issues }) => {
    const parsed = parseDestination(value);
    if (parsed.kind === "fault")
      issues.push({ code: "custom", message: `${parsed.cause}. ${parsed.hint}`, input: value });
  });

/** Not repeated: whoever has the URL may write where it leads to. */
const webhookError = "write an http or https URL such as https://hooks.example.com/backups";
const ALERTS = { webhook: z.string({ error: webhookError }).refine(isWebUrl, { error: webhookError }) };
const alertsError = "write { webhook: … }, an http or https URL";

export const backupPolicyShape = {
  addon: addonReference("the add-on to back up"),
  schedule: ScheduleSchema.default(DEFAULT_BACKUPS.schedule),
  retention: knownProperties(Object.keys(RetentionSchema.shape), RetentionSchema).default(
    DEFAULT_BACKUPS.retention,
  ),
  destination: Destination.optional(),
  credentials: StoreCredentialsSchema.optional(),
  encryption: EncryptionSchema.optional(),
  alerts: knownProperties(Object.keys(ALERTS), z.strictObject(ALERTS, { error: alertsError })).optional(),
  platform: PlatformInput,
};

const BackupPolicyInputs = z.object(backupPolicyShape);
export type BackupPolicyInputs = z.infer<typeof BackupPolicyInputs>;

/** The tier of the add-on, which the SDK class takes from the resource: in a first preview nothing is recorded yet. */
export const TierHint = z.enum(TIERS).optional().catch(undefined);

/** Absent while a part of it is unknown. */
export function backupsWish(inputs: Partial<BackupPolicyInputs>): BackupsWish | undefined {
  const { schedule, retention, destination, credentials, encryption, alerts } = inputs;
  if (schedule === undefined || retention === undefined) return undefined;
  return {
    ...{ schedule, retention },
    ...(destination === undefined ? {} : { destination }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(encryption === undefined ? {} : { encryption }),
    ...(alerts === undefined ? {} : { alerts }),
  };
}

function isWebUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}
