import { z } from "zod";
import { DEFAULT_BACKUPS, TIERS, type BackupsWish } from "../../core/facets";
import { RetentionSchema } from "../../core/retention";
import { ScheduleSchema } from "../../core/schedule";
import { addonReference } from "../choices";
import { PlatformInput } from "../recorded";

const Destination = z
  .string({ error: "write a URL such as file:///var/backups/redis" })
  .refine((text) => /^file:\/\/\/./.test(text) && URL.canParse(text), {
    error: "no destination: write the URL of a folder, such as file:///var/backups/redis, or leave it out",
  });

export const backupPolicyShape = {
  addon: addonReference("the add-on to back up"),
  schedule: ScheduleSchema.default(DEFAULT_BACKUPS.schedule),
  retention: RetentionSchema.default(DEFAULT_BACKUPS.retention),
  destination: Destination.optional(),
  platform: PlatformInput,
};

const BackupPolicyInputs = z.object(backupPolicyShape);
export type BackupPolicyInputs = z.infer<typeof BackupPolicyInputs>;

/** The tier of the add-on, which the SDK class takes from the resource: in a first preview nothing is recorded yet. */
export const TierHint = z.enum(TIERS).optional().catch(undefined);

/** Absent while a part of it is unknown. */
export function backupsWish(inputs: Partial<BackupPolicyInputs>): BackupsWish | undefined {
  const { schedule, retention, destination } = inputs;
  if (schedule === undefined || retention === undefined) return undefined;
  return { schedule, retention, ...(destination === undefined ? {} : { destination }) };
}
