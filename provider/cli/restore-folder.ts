import { resolve } from "node:path";
import { forShell } from "../core/for-shell";
import { memoryText } from "../core/memory-size";
import { restoreFolder } from "../operations/restore/restore-folder";
import type { ResolvedRestore } from "../operations/restore/restore-source";
import type { CommandContext } from "./context";
import { printJson, printLine } from "./print";
import { warn } from "./terminal";

/** Puts a backup's files into a new folder, in which a server opens them. */
export async function restoreToFolder(
  { home, task }: CommandContext,
  backup: ResolvedRestore,
  folder: string,
  { json }: { readonly json?: boolean },
): Promise<void> {
  const restored = await restoreFolder(backup, { folder: resolve(folder), dataHome: home }, task);
  for (const warning of restored.warnings) warn(warning);
  if (json === true) return printJson(restored);
  const size = backup.manifest === undefined ? "" : ` (${memoryText(backup.manifest.archive.sizeBytes)})`;
  printLine(`${restored.path}${size}: backup ${restored.backup}`);
  printLine(`\nOpen it: cd ${forShell(folder)} && redis-server (see README.txt in it).`);
}
