import type { FileHandle } from "node:fs/promises";

const CHUNK_BYTES = 64 * 1024;
/** A log's lines are short; of one that isn't the beginning does. */
const MOST_LINE_BYTES = 4 * 1024;
const LINE_END = 0x0a;

/** The lines of a file up to `end`, which is a line's, the last one first. Holds no more than a line and a chunk. */
export async function* linesBackwards(file: FileHandle, end: number): AsyncGenerator<string> {
  /** The rest of a line whose beginning is not read yet. */
  let rest = Buffer.alloc(0);
  let isFirst = true;
  for (let to = end; to > 0;) {
    const from = Math.max(0, to - CHUNK_BYTES);
    let unread = await readRange(file, from, to);
    to = from;
    for (let at = unread.lastIndexOf(LINE_END); at >= 0; at = unread.lastIndexOf(LINE_END)) {
      const line = Buffer.concat([unread.subarray(at + 1), rest]);
      // Behind the last line's end stands nothing.
      if (!isFirst) yield asText(line);
      isFirst = false;
      rest = Buffer.alloc(0);
      unread = unread.subarray(0, at);
    }
    rest = Buffer.concat([unread, rest]).subarray(0, MOST_LINE_BYTES);
  }
  // The first line has no other one's end before it.
  if (end > 0) yield asText(rest);
}

/** Whole lines from `start` on, as many as a few chunks hold, and where the next one begins. */
export async function linesForwards(
  file: FileHandle,
  start: number,
  mostBytes: number,
): Promise<{ readonly lines: string[]; readonly end: number }> {
  const read = await readRange(file, start, start + mostBytes);
  const last = read.lastIndexOf(LINE_END);
  // One that is longer than all that may be read would be read again for ever.
  if (last < 0 && read.length === mostBytes) return { lines: [asText(read)], end: start + read.length };
  const lines: string[] = [];
  for (let from = 0; from <= last;) {
    const to = read.indexOf(LINE_END, from);
    lines.push(asText(read.subarray(from, to)));
    from = to + 1;
  }
  return { lines, end: start + last + 1 };
}

/** Where the last whole line of a file ends: what is being written at this moment is read when it is complete. */
export async function wholeLinesEnd(file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  for (let to = size; to > 0;) {
    const from = Math.max(0, to - CHUNK_BYTES);
    const at = (await readRange(file, from, to)).lastIndexOf(LINE_END);
    if (at >= 0) return from + at + 1;
    to = from;
  }
  return 0;
}

function asText(line: Buffer): string {
  const text = line.subarray(0, MOST_LINE_BYTES).toString("utf8").replace(/\r$/, "");
  return line.length >= MOST_LINE_BYTES ? `${text}…` : text;
}

/** What is there of it: a file may be cut short meanwhile. */
export async function readRange(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const buffer = Buffer.alloc(to - from);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, from + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}
