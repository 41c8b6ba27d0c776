import { Failure } from "../../core/errors";
import type { Clock } from "../../core/task";
import { signalProcess, waitForEnd, type ProcessIdentity } from "../../system/processes";

/** How long a server may take to write its data down and leave. */
const DEADLINE_MS = 60_000;
/** A follower that writes its first AOF after a full sync says that it can't leave, and forgets that it was asked to. */
const ASK_AGAIN_MS = 1_000;

/**
 * Ends a server, its AOF written down. Redis takes SIGTERM as a request to flush its AOF and leave; it is never killed
 * harder from here, as that would lose what it acknowledged last.
 */
export async function endProcess(
  name: string,
  process: ProcessIdentity,
  logFile: string,
  clock: Clock,
): Promise<void> {
  for (let waitedMs = 0; waitedMs < DEADLINE_MS; waitedMs += ASK_AGAIN_MS) {
    await signalProcess(process, "SIGTERM");
    if (await waitForEnd(process, ASK_AGAIN_MS, clock)) return;
  }
  throw notStopped(name, process, logFile, DEADLINE_MS, "the last second of writes");
}

export function notStopped(
  name: string,
  process: ProcessIdentity,
  logFile: string,
  deadlineMs: number,
  costs: string,
): Failure {
  return new Failure({
    code: "server-not-stopped",
    operation: "stop the server of",
    subject: name,
    cause: `process ${process.pid} did not end within ${deadlineMs / 1000} s: a script that runs for ever, or a disk that hangs, keeps it`,
    hint: `See ${logFile}; kill -9 ${process.pid} ends it, and may cost ${costs}`,
    transient: true,
  });
}
