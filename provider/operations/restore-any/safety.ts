import { randomUUID } from "node:crypto";
import { workingFolders } from "../../core/destination";
import type { Encryption } from "../../core/encryption";
import { Failure } from "../../core/errors";
import type { ProbeJob } from "../../core/job";
import type { StoreCredentials } from "../../core/store-credentials";
import type { Task } from "../../core/task";
import { authority } from "../../core/uri";
import { homePath, layoutOf } from "../../platforms/local/home";
import type { HeldWrites } from "../../redis/restore-into/hold-writes";
import { type AnyBackup, backUpAny } from "../backup-any";
import type { AnyRestoreRequest } from "../restore-any";
import type { ResolvedRestore } from "../restore/restore-source";

/** Where the backup of what is replaced goes: encrypted as the restored one is, so that a store in cipher stays so. */
export interface SafetyPlace {
  /** A store's URL. */
  readonly destination: string;
  readonly credentials?: StoreCredentials | undefined;
  /** Its catalog there. */
  readonly name: string;
  /** The target may write the snapshot to its own disk, where it is set to: should that become full, it refuses writes. */
  readonly acceptDisk?: boolean | undefined;
}

/** Fails where the place that this backup goes to takes none now, before anybody's writes are held for it. */
export async function requireSafetyPlace(
  { target, dataHome }: Pick<AnyRestoreRequest, "target" | "dataHome">,
  { destination, credentials, name }: SafetyPlace,
  task: Task,
): Promise<void> {
  const { performJob } = await import("../../backup/jobs/perform.js");
  task.progress({ message: "looking whether the backup of what it holds can be kept" });
  const job: ProbeJob = {
    ...{ kind: "probe", id: `probe-${randomUUID().slice(0, 8)}`, addon: { name }, destination },
    ...(credentials === undefined ? {} : { credentials }),
    offLimits: workingFolders(layoutOf(homePath(dataHome))),
  };
  await performJob(job, task).catch((error: unknown) => {
    task.signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    const { cause, hint } = error;
    throw new Failure({
      ...error.report(),
      ...{ operation: "restore into", subject: authority(target.host, target.port) },
      cause: `what it holds could not be backed up before it is replaced: ${cause}`,
      hint: `Nothing was replaced, and its users went on writing${hint === "" ? "" : `. ${hint}`}`,
    });
  });
}

/** Backs up what a target holds; `safety-backup-unverified` where nobody could look whether that opens. */
export async function backUpBefore(
  { target, dataHome, backup }: AnyRestoreRequest,
  safety: SafetyPlace,
  task: Task,
): Promise<AnyBackup> {
  const { destination, credentials, name, acceptDisk } = safety;
  const encryption = likewise(backup);
  const source = { ...target, acceptDisk };
  const taken = await backUpAny(
    { source, destination, credentials, name, encryption, verify: true, dataHome },
    task,
  );
  if (taken.verification !== undefined) return taken;
  throw new Failure({
    code: "safety-backup-unverified",
    operation: "restore into",
    subject: authority(target.host, target.port),
    cause: `the backup of what it holds, ${taken.slot}, is stored, but ${taken.warnings.join("; ")}`,
    hint: "Nothing was replaced. Verify it (redis-addon backup verify), and try again",
    transient: true,
  });
}

/** How a backup is encrypted, for one that shall be opened by the same. */
function likewise({ source: { key }, manifest }: ResolvedRestore): Encryption | undefined {
  const recipients = manifest?.encryption?.recipients;
  if (recipients !== undefined) return { recipients };
  return key !== undefined && "passphrase" in key ? key : undefined;
}

/** What the user should know of that backup. */
export function safetyWarnings(safety: AnyBackup | undefined): string[] {
  if (safety === undefined) return [];
  const { verification, warnings, slot } = safety;
  return verification?.outcome === "verified"
    ? warnings
    : [
        ...warnings,
        `backup ${slot}, of what was replaced, was checked byte by byte, but not loaded: ${verification?.why ?? ""}`,
      ];
}

/** What became of the writes of its users meanwhile. */
export function writeWarnings(isBackedUp: boolean, held: HeldWrites | undefined): string[] {
  if (!isBackedUp) return [];
  const lost = "what they wrote after the backup of it began";
  if (held === undefined)
    return [`its user may not run CLIENT PAUSE, so its writers went on: ${lost} is lost`];
  const why = held.lapsed();
  return why === undefined
    ? []
    : [`its writers could not be held all the time (${why}): ${lost} may be lost`];
}
