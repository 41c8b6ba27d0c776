import { z } from "zod";
import { DecryptionKeySchema, EncryptionSchema } from "./encryption";
import { BACKUP_PURPOSES } from "./manifest";
import { RestoreSourceSchema } from "./restore";
import { RetentionSchema } from "./retention";
import { ScheduleSchema } from "./schedule";
import { StoreCredentialsSchema } from "./store-credentials";
import { VERIFICATION_OUTCOMES, VerificationSchema } from "./verification";

const TlsSchema = z.object({
  /** Certificates in PEM to trust instead of the system's; absent: the system's. */
  ca: z.string().optional(),
  /** The name that the certificate must have; absent: the host's. */
  serverName: z.string().optional(),
  /** What we show of ourselves, both in PEM. */
  certificate: z.string().optional(),
  key: z.string().optional(),
});

const SourceSchema = z.object({
  host: z.string().min(1),
  port: z.number().int().min(1).max(65_535),
  username: z.string().optional(),
  password: z.string().optional(),
  /** Absent: a plain connection. */
  tls: TlsSchema.optional(),
  /**
   * Ours alone: the folder of this machine where the server writes its snapshot, where that has room. Absent: it isn't
   * ours, and is asked to send the snapshot straight from memory.
   */
  dataFolder: z.string().optional(),
  /** A leader that isn't ours may write the snapshot to its own disk, although a full one would stop its writes. */
  acceptDisk: z.boolean().optional(),
});
export type BackupSource = z.infer<typeof SourceSchema>;

/** Where a job finds or puts backups. */
const PlaceSchema = z.object({
  /** A store's URL; the add-on's catalog lies below it, under its key. */
  destination: z.string().min(1),
  /** For a store that asks for them; absent: what the environment and the user's files say. */
  credentials: StoreCredentialsSchema.optional(),
});

/** What a verification may use. */
const ProofSchema = z.object({
  /** Servers at hand, each with its version as records spell it: `7.2.4`, `valkey-8.1.8`. */
  servers: z.array(z.object({ path: z.string().min(1), version: z.string().min(1) })),
  /** Data that need more are not loaded; absent: half of what the machine has free. */
  memoryBudgetBytes: z.number().int().positive().optional(),
});
export type Proof = z.infer<typeof ProofSchema>;

/** What one job is told, as JSON on its standard input: passwords must stand neither in its arguments nor environment. */
const BackupJobSchema = PlaceSchema.extend({
  kind: z.literal("backup"),
  id: z.string().min(1),
  addon: z.object({
    name: z.string().min(1),
    catalogKey: z.string().min(1),
    /** ISO 8601: backups from before it are of an earlier add-on of this name, and no concern of retention. */
    createdAt: z.iso.datetime({ offset: true }),
  }),
  source: SourceSchema,
  /** Folders of this machine that the destination must not lie in. */
  offLimits: z.array(z.string()).optional(),
  /** Where a snapshot of unknown size waits, and where a copy is verified; absent: the system's temporary folder. */
  scratchFolder: z.string().optional(),
  /** Absent: the archive is not encrypted. */
  encryption: EncryptionSchema.optional(),
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
  /** Absent: none in particular. */
  purpose: z.enum(BACKUP_PURPOSES).exactOptional(),
  /** Absent: nothing is removed but what interrupted attempts left. */
  retention: RetentionSchema.optional(),
  /** The add-on's, whatever the reason of this one: it tells retention what a gap is, and whose days count. */
  schedule: ScheduleSchema.optional(),
  /** Absent: the backup is not verified now. */
  proof: ProofSchema.optional(),
  /** What the platform knows and the wire doesn't tell. */
  facts: z.object({ databases: z.number().int().positive().optional() }).optional(),
});
export type BackupJob = z.infer<typeof BackupJobSchema>;

const VerifyJobSchema = PlaceSchema.extend({
  kind: z.literal("verify"),
  id: z.string().min(1),
  addon: z.object({ name: z.string().min(1), catalogKey: z.string().min(1) }),
  slot: z.string().min(1),
  scratchFolder: z.string().optional(),
  /** Opens an encrypted archive; without it no more than the stored bytes can be checked. */
  key: DecryptionKeySchema.optional(),
  proof: ProofSchema,
});
export type VerifyJob = z.infer<typeof VerifyJobSchema>;

const RestoreJobSchema = z.object({
  kind: z.literal("restore"),
  id: z.string().min(1),
  addon: z.object({ name: z.string().min(1) }),
  source: RestoreSourceSchema,
  /** Absolute, absent before: made with the archive's files in it, whole and on the disk, or not at all. */
  folder: z.string().min(1),
  scratchFolder: z.string(),
  /** The server that shall load it: what it can't load is refused. */
  proof: ProofSchema,
  /** Whether a backup stays held when the job has ended: until a release, or for a day. Absent: it doesn't. */
  keepsHold: z.boolean().exactOptional(),
});
export type RestoreJob = z.infer<typeof RestoreJobSchema>;

/** Finds out whether backups can be kept at a place now. */
const ProbeJobSchema = PlaceSchema.extend({
  kind: z.literal("probe"),
  id: z.string().min(1),
  addon: z.object({ name: z.string().min(1) }),
  /** As of a backup's job. */
  offLimits: z.array(z.string()).optional(),
});
export type ProbeJob = z.infer<typeof ProbeJobSchema>;

/** Lets go of a backup that a restore has held. */
const ReleaseJobSchema = PlaceSchema.extend({
  kind: z.literal("release"),
  id: z.string().min(1),
  addon: z.object({ name: z.string().min(1) }),
  /** The key of what holds it. */
  hold: z.string().min(1),
});
export type ReleaseJob = z.infer<typeof ReleaseJobSchema>;

export const JobSpecSchema = z.discriminatedUnion("kind", [
  BackupJobSchema,
  VerifyJobSchema,
  RestoreJobSchema,
  ProbeJobSchema,
  ReleaseJobSchema,
]);
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
  /** Absent where it was not asked for. One that was found damaged is no result but a failure. */
  verification: VerificationSchema.exactOptional(),
  /** What the user should know, each a sentence: what the store can't guarantee. */
  // A job of the version before may end under the agent of this one.
  warnings: z.array(z.string()).default([]),
  /** The slots that retention removed. */
  pruned: z.array(z.string()),
  /** The backup is good, but not every old one could be removed. */
  pruneFailure: FailureReportSchema.exactOptional(),
});

const ExtractedSchema = z.object({
  type: z.literal("result"),
  outcome: z.literal("extracted"),
  /** The slot; of a lone archive, its file's name. */
  backup: z.string(),
  /** Without credentials. */
  archiveUrl: z.string(),
  verification: z.enum(VERIFICATION_OUTCOMES),
  /** As a scratch server counted them, before what has expired is dropped; absent: none did. */
  counts: z
    .object({
      keys: z.number(),
      expires: z.number(),
      /** The highest number of a database that holds keys; absent: none does. */
      highestDatabase: z.number().int().exactOptional(),
    })
    .exactOptional(),
  /** The key of what holds the backup from here on; absent: nothing does. */
  hold: z.string().exactOptional(),
  /** What the user should know, each a sentence. */
  warnings: z.array(z.string()),
});
export type Extracted = z.infer<typeof ExtractedSchema>;

const JobResultSchema = z.discriminatedUnion("outcome", [
  BackedUpSchema,
  ExtractedSchema,
  z.object({
    type: z.literal("result"),
    outcome: z.literal("not-due"),
    /** The slot of the newest verified backup of the add-on; absent: there is none. */
    newestVerified: z.string().exactOptional(),
  }),
  z.object({ type: z.literal("result"), outcome: z.literal("looked-at"), verification: VerificationSchema }),
  /** Of a probe: backups can be kept there. */
  z.object({ type: z.literal("result"), outcome: z.literal("fit") }),
  z.object({ type: z.literal("result"), outcome: z.literal("released") }),
]);
export type JobResult = z.infer<typeof JobResultSchema>;

const ProgressLineSchema = z.object({
  type: z.literal("progress"),
  message: z.string(),
  doneBytes: z.number().optional(),
  totalBytes: z.number().optional(),
  /** About how many, where the total is not known. */
  estimatedBytes: z.number().optional(),
});
const FailureLineSchema = z.object({ type: z.literal("failure"), report: FailureReportSchema });

/** One line of a job's standard output. The last one is a result or a failure; without either the job was killed. */
export const JobLineSchema = z.union([ProgressLineSchema, JobResultSchema, FailureLineSchema]);
export type JobLine = z.infer<typeof JobLineSchema>;
