import { rm } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { dataMarkPath, readDataMark, type DataMark } from "../../../platforms/local/data-mark";
import type { AddonLayout } from "../../../platforms/local/home";
import { syncFolder, writeDurably } from "../../../system/files";
import { Queues } from "../../queue";

/** Changes of one mark stand in a queue: what a look saw must not undo what a launch has judged meanwhile. */
const queues = new Queues();

/** Absent, of the mark and of what it becomes: there is none. Returns what it has become. */
export function changeDataMark(
  files: AddonLayout,
  to: (mark: DataMark | undefined) => DataMark | undefined | Promise<DataMark | undefined>,
): Promise<DataMark | undefined> {
  const path = dataMarkPath(files);
  return queues.add(path, async () => {
    const before = await readDataMark(files);
    const after = await to(before);
    if (isDeepStrictEqual(before, after)) return after;
    if (after !== undefined) await writeDurably(path, JSON.stringify(after), 0o600);
    else {
      await rm(path, { force: true });
      await syncFolder(files.root);
    }
    return after;
  });
}

/** Whatever the add-on has is trusted from now on. None is success. */
export async function forgetDataMark(files: AddonLayout): Promise<void> {
  await changeDataMark(files, () => undefined);
}

/** Whether its server is known to have the data that it had. */
export function isTrusted(mark: DataMark | undefined): boolean {
  return mark?.unchecked === undefined && mark?.distrusted === undefined;
}
