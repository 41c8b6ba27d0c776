import { randomUUID } from "node:crypto";
import { workingFolders } from "../../core/destination";
import { Failure } from "../../core/errors";
import { DEFAULT_BACKUPS, type AddonRecord } from "../../core/facets";
import type { Task } from "../../core/task";
import { destinationIn, type HomeLayout } from "../../platforms/local/home";
import { discardJobFolders } from "./job-folders";
import { runForCall } from "./run-for-call";

/**
 * Fails where the place that an add-on's backups go to takes none now, naming it: found out while users go on writing, it
 * costs nobody anything. In a process of its own, because a dead network share hangs for ever.
 */
export async function requirePlaceForBackups(
  layout: HomeLayout,
  { name, backups }: AddonRecord,
  task: Task,
): Promise<void> {
  const { credentials } = backups?.wish ?? DEFAULT_BACKUPS;
  const id = `${name}-probe-${randomUUID().slice(0, 8)}`;
  task.progress({ message: "looking whether the backup of what is replaced can be kept" });
  try {
    await runForCall(
      layout,
      {
        ...{ kind: "probe", id, addon: { name }, offLimits: workingFolders(layout) },
        destination: destinationIn(layout, backups?.wish),
        ...(credentials === undefined ? {} : { credentials }),
      },
      task,
    );
  } catch (error) {
    task.signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    const { cause, hint } = error;
    throw new Failure({
      ...error.report(),
      cause: `what it holds could not be backed up before it is replaced: ${cause}`,
      hint: `Nothing was replaced, and its users went on writing${hint === "" ? "" : `. ${hint}`}`,
    });
  } finally {
    await discardJobFolders(layout, id);
  }
}
