import type { Extracted } from "../../core/job";
import type { Counts } from "../../core/verification";

/** What is told of a scratch server's counts: nothing where none has loaded the data. */
export function countsOf(counts: Counts | undefined): Pick<Extracted, "counts"> {
  if (counts === undefined) return {};
  const { keys, expires, databases } = counts;
  const highest = Math.max(-1, ...Object.keys(databases ?? {}).map(Number));
  return { counts: { keys, expires, ...(highest < 0 ? {} : { highestDatabase: highest }) } };
}
