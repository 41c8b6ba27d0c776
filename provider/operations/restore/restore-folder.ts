import { randomUUID } from "node:crypto";
import { dirname } from "node:path";
import type { Task } from "../../core/task";
import { openPlace } from "../backup-place";
import { proofHere } from "../proof-here";
import type { ResolvedRestore } from "./restore-source";

interface RestoredFolder {
  /** The slot; of a lone archive, its file's name. */
  readonly backup: string;
  readonly path: string;
  /** What the user should know, each a sentence. */
  readonly warnings: readonly string[];
}

/**
 * Puts a backup's files into a folder that is absent or empty (of a lone archive: absent), where a server that is
 * started there loads them; whole or not at all. Every byte is compared with the manifest; an archive without one is
 * loaded by a server of this machine first.
 */
export async function restoreFolder(
  { source, backup, passedOver }: ResolvedRestore,
  { folder, dataHome }: { readonly folder: string; readonly dataHome: string | undefined },
  task: Task,
): Promise<RestoredFolder> {
  if (source.kind === "backup") {
    const { destination, catalogKey, slot, credentials, key } = source;
    const { extractBackup } = await import("../../backup/download-backup.js");
    const store = await openPlace({ destination, credentials });
    await extractBackup(store, catalogKey, slot, { to: folder, key }, task);
    return { backup, path: folder, warnings: passedOver };
  }
  const { performJob } = await import("../../backup/jobs/perform.js");
  const result = await performJob(
    {
      ...{ kind: "restore", id: `restore-${randomUUID().slice(0, 8)}`, addon: { name: backup } },
      ...{ source, folder, scratchFolder: dirname(folder), proof: await proofHere(dataHome) },
    },
    task,
  );
  if (result.outcome !== "extracted") throw new Error(`a restore answered ${result.outcome}`);
  return { backup, path: folder, warnings: [...passedOver, ...result.warnings] };
}
