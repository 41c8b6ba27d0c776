import { readFile } from "node:fs/promises";
import { z } from "zod";
import { VERIFICATION_OUTCOMES } from "../../core/verification";
import type { BackupRun } from "../contract";
import type { AddonLayout } from "./home";

const NotedProcessSchema = z.object({
  pid: z.number().int(),
  startedAt: z.string(),
  port: z.number().int(),
  /** Of everything that only a restart changes; a record that renders to another one wants a restart. */
  fingerprint: z.string(),
});
export type NotedProcess = z.infer<typeof NotedProcessSchema>;

/** What the agent wrote down about a server's process, so that readers and its own successor can recognise it. */
const ProcessStateSchema = z
  .discriminatedUnion("state", [
    /** Noted from the moment that the process exists, long before it answers. */
    z.object({ state: z.literal("starting"), process: NotedProcessSchema.optional() }),
    z.object({
      state: z.literal("running"),
      process: NotedProcessSchema,
      /** Why it is not as recorded; absent: it is. */
      trouble: z.string().optional(),
    }),
    /** A process that can't be stopped may still be there. */
    z.object({ state: z.literal("stopped"), why: z.string(), process: NotedProcessSchema.optional() }),
  ])
  .and(
    z.object({
      /** Whether a server has ever answered: from then on an empty data folder means that data were lost. */
      hasRun: z.boolean().default(false),
    }),
  );
export type ProcessState = z.infer<typeof ProcessStateSchema>;

const BackupStateSchema = z
  .object({
    at: z.string(),
    outcome: z.enum(["backed-up", "failed"]),
    detail: z.string(),
    verification: z.enum(VERIFICATION_OUTCOMES).exactOptional(),
    warnings: z.array(z.string()).exactOptional(),
    /** The newest slot that was finished or found finished; ticks need it, readers don't. */
    newestSlotAt: z.number().optional(),
    /** The newest slot that is known to have been verified; it outlasts runs that fail. */
    newestVerifiedAt: z.number().exactOptional(),
    failures: z.number().int().default(0),
  })
  .transform((state) => {
    const { newestVerifiedAt, newestSlotAt, verification } = state;
    // Notes of earlier versions tell it of the last run alone.
    const isTold =
      newestVerifiedAt !== undefined || newestSlotAt === undefined || verification !== "verified";
    return isTold ? state : { ...state, newestVerifiedAt: newestSlotAt };
  });
export type BackupState = z.infer<typeof BackupStateSchema>;

/** Absent where the agent never wrote one, or where it was cut off by a full disk: the agent finds out anew. */
export async function readProcessState(layout: AddonLayout): Promise<ProcessState | undefined> {
  return read(layout.process, ProcessStateSchema);
}

export async function readBackupState(layout: AddonLayout): Promise<(BackupRun & BackupState) | undefined> {
  return read(layout.backups, BackupStateSchema);
}

async function read<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema> | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
