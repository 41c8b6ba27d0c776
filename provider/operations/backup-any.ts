import { randomUUID } from "node:crypto";
import { workingFolders } from "../core/destination";
import type { Encryption } from "../core/encryption";
import { Failure } from "../core/errors";
import type { BackupJob, BackupSource, JobResult } from "../core/job";
import type { Retention } from "../core/retention";
import { formatSlot } from "../core/slot";
import type { StoreCredentials } from "../core/store-credentials";
import type { Task } from "../core/task";
import { homePath, layoutOf } from "../platforms/local/home";
import { openPlace } from "./backup-place";
import { proofHere } from "./proof-here";

export interface AnyBackupRequest {
  readonly source: BackupSource;
  /** The store's URL. */
  readonly destination: string;
  /** For a store that asks for them; absent: what the environment and the user's files say. */
  readonly credentials?: StoreCredentials | undefined;
  /** Its catalog there, and how messages call it. */
  readonly name: string;
  /** Absent: every earlier backup stays. */
  readonly retention?: Retention | undefined;
  readonly encryption?: Encryption | undefined;
  readonly verify: boolean;
  /** Its servers serve the verification, where there are any. */
  readonly dataHome?: string | undefined;
}

export type AnyBackup = Extract<JobResult, { outcome: "backed-up" }>;

/** No backup of a Redis that isn't ours is from before it was made: retention looks at all of them. */
const ALWAYS = new Date(0).toISOString();
const LOOK_AFTERWARDS_MS = 15_000;

/**
 * Backs up any Redis, in this process: nothing else has to run on this machine. Fails with `password-needed` where the
 * server wants a password and none was given, with `interrupted` where the task was aborted, saying what is left.
 */
export async function backUpAny(request: AnyBackupRequest, task: Task): Promise<AnyBackup> {
  const startedAt = task.clock.now();
  const job = await jobFor(request);
  const { performJob } = await import("../backup/jobs/perform.js");
  try {
    const result = await performJob(job, task);
    if (result.outcome === "backed-up") return result;
    throw new Error("a backup on demand is always due");
  } catch (error) {
    if (task.signal.aborted) throw await interrupted(request, startedAt);
    throw forAnyRedis(error, request);
  }
}

async function jobFor(request: AnyBackupRequest): Promise<BackupJob> {
  const { name, source, destination, credentials, retention, encryption } = request;
  return {
    kind: "backup",
    id: `${name}-demand-${randomUUID().slice(0, 8)}`,
    addon: { name, catalogKey: name, createdAt: ALWAYS },
    source,
    destination,
    ...(credentials === undefined ? {} : { credentials }),
    offLimits: workingFolders(layoutOf(homePath(request.dataHome))),
    reason: { kind: "demand" },
    ...(retention === undefined ? {} : { retention }),
    ...(encryption === undefined ? {} : { encryption }),
    ...(request.verify ? { proof: await proofHere(request.dataHome) } : {}),
  };
}

/** What a job says is said to the owner of an add-on; here nobody has one. */
function forAnyRedis(error: unknown, { name }: AnyBackupRequest): unknown {
  if (!(error instanceof Failure)) return error;
  const hint = error.hint.replace(`redis-addon backup run ${name}`, "run the same command again");
  return new Failure({ ...error.report(), hint });
}

/** An interruption while the backup is verified leaves a good one behind: only the store knows. */
async function interrupted(
  { destination, credentials, name }: AnyBackupRequest,
  startedAt: number,
): Promise<Failure> {
  const look = async () => {
    const { readCatalog } = await import("../backup/catalog.js");
    const store = await openPlace({ destination, credentials });
    const { backups, orphans } = await readCatalog(store, name, AbortSignal.timeout(LOOK_AFTERWARDS_MS));
    const first = `${name}/${formatSlot(startedAt)}`;
    const taken = backups.find(({ slot }) => slot >= startedAt);
    if (taken !== undefined) return `backup ${taken.name} was taken, but is not verified`;
    return orphans.some(({ key }) => key >= first)
      ? "there is no backup, but a part of one, which a later backup removes once it is a day old"
      : "there is no backup, and nothing is left of it";
  };
  return new Failure({
    code: "interrupted",
    operation: "back up",
    subject: name,
    cause: `it was interrupted; ${await look().catch(() => "whether a backup was taken could not be seen")}`,
  });
}
