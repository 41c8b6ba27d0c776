import { z } from "zod";
import { RetentionSchema } from "./retention";
import { ScheduleSchema } from "./schedule";

/** What one job is told, as JSON on its standard input: passwords must stand neither in its arguments nor environment. */
const BackupJobSchema = z.object({
  kind: z.literal("backup"),
  id: z.string().min(1),
  addon: z.object({
    name: z.string().min(1),
    catalogKey: z.string().min(1),
    /** ISO 8601: backups from before it are of an earlier add-on of this name, and no concern of retention. */
    createdAt: z.iso.datetime({ offset: true }),
  }),
  source: z.object({
    host: z.string().min(1),
    port: z.number().int().min(1).max(65_535),
    username: z.string().optional(),
    password: z.string().optional(),
    /** Foreign leaders send the snapshot straight from memory, lest a full disk there stops their writes. */
    diskless: z.boolean().optional(),
  }),
  /** A store's URL; the add-on's catalog lies below it, under its key. */
  destination: z.string().min(1),
  /** Folders of this machine that the destination must not lie in. */
  offLimits: z.array(z.string()).optional(),
  reason: z.discriminatedUnion("kind", [
    z.object({
      kind: z.literal("scheduled"),
      schedule: ScheduleSchema,
      /** ISO 8601: slots from before it are never due. */
      since: z.iso.datetime({ offset: true }),
    }),
    z.object({ kind: z.literal("demand") }),
    /** The last one of an add-on that is being deleted. */
    z.object({ kind: z.literal("final") }),
  ]),
  retention: RetentionSchema,
  /** What the platform knows and the wire doesn't tell. */
  facts: z.object({ databases: z.number().int().positive().optional() }).optional(),
});
export type BackupJob = z.infer<typeof BackupJobSchema>;

export const JobSpecSchema = z.discriminatedUnion("kind", [BackupJobSchema]);
export type JobSpec = z.infer<typeof JobSpecSchema>;

const FailureReportSchema = z.object({
  code: z.string(),
  operation: z.string(),
  subject: z.string(),
  cause: z.string(),
  hint: z.string(),
  transient: z.boolean(),
});

const BackedUpSchema = z.object({
  type: z.literal("result"),
  outcome: z.literal("backed-up"),
  slot: z.string(),
  archiveUrl: z.string(),
  sizeBytes: z.number(),
  /** About how many keys it holds; absent where the source doesn't say. */
  keys: z.number().exactOptional(),
  /** False, of a scheduled one alone: another machine finished the same slot first, and this is its backup. */
  takenHere: z.boolean(),
  /** The slots that retention removed. */
  pruned: z.array(z.string()),
  /** The backup is good, but not every old one could be removed. */
  pruneFailure: FailureReportSchema.exactOptional(),
});

const JobResultSchema = z.discriminatedUnion("outcome", [
  BackedUpSchema,
  z.object({ type: z.literal("result"), outcome: z.literal("not-due") }),
]);
export type JobResult = z.infer<typeof JobResultSchema>;

const ProgressLineSchema = z.object({
  type: z.literal("progress"),
  message: z.string(),
  doneBytes: z.number().optional(),
  totalBytes: z.number().optional(),
});
const FailureLineSchema = z.object({ type: z.literal("failure"), report: FailureReportSchema });

/** One line of a job's standard output. The last one is a result or a failure; without either the job was killed. */
export const JobLineSchema = z.union([ProgressLineSchema, JobResultSchema, FailureLineSchema]);
export type JobLine = z.infer<typeof JobLineSchema>;
