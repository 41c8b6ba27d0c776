import { NoReply, type ReplyReader } from "./reader";

/** An answer to a command, in RESP2. */
export type Reply =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly Reply[] }
  | { readonly kind: "nothing" }
  /** Redis's own words; the first is its code: `NOPERM`, `WRONGPASS`, `ERR`. They may repeat what it was sent. */
  | { readonly kind: "refused"; readonly text: string };

/** INFO of a server with thousands of users and modules; more is no Redis, or none that means well. */
const LARGEST_BULK_BYTES = 16 * 1024 * 1024;
const LONGEST_LIST = 10_000;
const DEEPEST_LIST = 4;

/**
 * The next reply; undefined where the connection ended first. `onNewline` is told of each empty line before it, by which
 * a leader that is busy for us keeps the connection alive. Throws NoReply.
 */
export async function readReply(reader: ReplyReader, onNewline: () => void): Promise<Reply | undefined> {
  for (;;) {
    const line = await reader.line();
    if (line === undefined) return undefined;
    if (line !== "") return replyOf(line, reader, 0);
    onNewline();
  }
}

async function replyOf(line: string, reader: ReplyReader, depth: number): Promise<Reply | undefined> {
  const rest = line.slice(1);
  switch (line[0]) {
    case "+":
      return { kind: "text", text: utf8(rest) };
    case "-":
      return { kind: "refused", text: utf8(rest) };
    case ":":
      if (!/^[+-]?\d{1,20}$/.test(rest)) throw new NoReply();
      return { kind: "text", text: rest };
    case "$":
      return rest === "-1" ? { kind: "nothing" } : bulk(reader, counted(rest, LARGEST_BULK_BYTES));
    case "*":
      if (rest === "-1") return { kind: "nothing" };
      if (depth === DEEPEST_LIST) throw new NoReply();
      return list(reader, counted(rest, LONGEST_LIST), depth + 1);
    default:
      throw new NoReply(line);
  }
}

function counted(digits: string, most: number): number {
  const count = /^\d{1,9}$/.test(digits) ? Number(digits) : Infinity;
  if (count > most) throw new NoReply();
  return count;
}

async function bulk(reader: ReplyReader, sizeBytes: number): Promise<Reply | undefined> {
  const parts: Buffer[] = [];
  for (let missing = sizeBytes + 2; missing > 0;) {
    const part = await reader.some(missing);
    if (part === undefined) return undefined;
    parts.push(part);
    missing -= part.length;
  }
  const bytes = Buffer.concat(parts);
  if (bytes[sizeBytes] !== 13 || bytes[sizeBytes + 1] !== 10) throw new NoReply();
  return { kind: "text", text: bytes.toString("utf8", 0, sizeBytes) };
}

async function list(reader: ReplyReader, length: number, depth: number): Promise<Reply | undefined> {
  const items: Reply[] = [];
  while (items.length < length) {
    const line = await reader.line();
    const item = line === undefined ? undefined : await replyOf(line, reader, depth);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return { kind: "list", items };
}

/** A line's text: lines are read byte by byte. */
export function utf8(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}
