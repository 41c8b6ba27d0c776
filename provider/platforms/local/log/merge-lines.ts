import type { LogLine } from "../../contract";

/**
 * Two sources' lines in the order of their times. Those of one source stay in the order in which they were written,
 * whatever their clock did, and what goes on with a line stays behind it.
 */
export function mergeLines(first: readonly LogLine[], second: readonly LogLine[]): LogLine[] {
  const merged: LogLine[] = [];
  let [i, j] = [0, 0];
  while (i < first.length && j < second.length) {
    const comesFirst = timeOf(first[i]) <= timeOf(second[j]);
    if (comesFirst) i = takeEntry(first, i, merged);
    else j = takeEntry(second, j, merged);
  }
  return [...merged, ...first.slice(i), ...second.slice(j)];
}

/** Takes a line and what goes on with it; returns where the next one stands. */
function takeEntry(lines: readonly LogLine[], from: number, into: LogLine[]): number {
  let to = from;
  do {
    const line = lines[to];
    if (line !== undefined) into.push(line);
    to += 1;
  } while (to < lines.length && lines[to]?.at === undefined);
  return to;
}

/** What has no time and stands first goes on with a line that wasn't read. */
function timeOf(line: LogLine | undefined): number {
  return line?.at === undefined ? 0 : Date.parse(line.at);
}
