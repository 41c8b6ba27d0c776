import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import type { HomeLayout } from "../../platforms/local/home";
import { beforeChange, readFallback } from "./fallback";
import { replaceRecord } from "./record-file";

/**
 * What says that a server can't be as recorded: it ends before it answers, refuses a setting, or can't be ended without
 * losing its data. Anything else may pass, and the change is completed then.
 */
const UNDONE_FOR: ReadonlySet<string> = new Set([
  "server-failed",
  "setting-refused",
  "open-files",
  "save-failed",
]);

interface Undone {
  /** As recorded again. */
  readonly record: AddonRecord;
  /** The slot of the backup that was taken before the change. */
  readonly backup: string | undefined;
}

/** Records again what the server last ran as. Absent: the change stays recorded. */
export async function undoChange(
  layout: HomeLayout,
  failed: AddonRecord,
  failure: Failure,
): Promise<Undone | undefined> {
  if (!UNDONE_FOR.has(failure.code) || failed.removing !== undefined) return undefined;
  const fallback = await readFallback(layout.addon(failed.name));
  const record = fallback && beforeChange(failed, fallback);
  if (record === undefined || !(await replaceRecord(layout, failed, record))) return undefined;
  return { record, backup: fallback?.backup };
}

/** `again`: why the server couldn't be brought back to what it was either. */
export function changeUndone({ record, backup }: Undone, failure: Failure, again?: Failure): Failure {
  const { version } = record.server.wish;
  const since =
    again === undefined
      ? `The change was undone: it runs version ${version} as before, with its data`
      : `The change was undone, but it does not run as before either: ${again.cause}`;
  const taken = backup === undefined ? "" : `; the backup ${backup} was taken before the change`;
  return new Failure({
    code: "change-undone",
    operation: "change",
    subject: record.name,
    cause: failure.cause,
    hint: [`${since}${taken}`, failure.hint].filter((text) => text !== "").join(". "),
  });
}
