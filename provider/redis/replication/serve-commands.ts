/** What came is no command that a replica sends. */
export class NoCommand extends Error {
  constructor() {
    super("it sent what is no command of a replica");
  }
}

/** A replica's longest command is a list of what it is capable of. */
const MOST_WORDS = 32;
const LONGEST_WORD_BYTES = 1024;
const LONGEST_COUNT = "$1024\r\n".length;

/**
 * Cuts what a replica sends into its commands, however the network split it; the empty lines by which it keeps the
 * connection alive while it loads are passed over. Throws NoCommand as soon as it can be none: little is ever kept of
 * what a stranger sends.
 */
export function commandParser(): { push(bytes: Buffer): string[][] } {
  let pending: Buffer = Buffer.alloc(0);
  return {
    push(bytes) {
      pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
      const commands: string[][] = [];
      for (let next = commandAt(pending); next !== undefined; next = commandAt(pending)) {
        if (next.words.length > 0) commands.push(next.words);
        pending = pending.subarray(next.end);
      }
      return commands;
    },
  };
}

/** The command that the bytes begin with, none for an empty line; undefined while it isn't complete. */
function commandAt(bytes: Buffer): { readonly words: string[]; readonly end: number } | undefined {
  if (bytes[0] === LF) return { words: [], end: 1 };
  if (bytes[0] === CR && (bytes[1] ?? LF) === LF) return bytes.length < 2 ? undefined : { words: [], end: 2 };
  const count = countAt(bytes, 0, "*", MOST_WORDS);
  if (count === undefined) return undefined;
  const words: string[] = [];
  let at = count.end;
  while (words.length < count.value) {
    const size = countAt(bytes, at, "$", LONGEST_WORD_BYTES);
    if (size === undefined) return undefined;
    const end = size.end + size.value;
    if (bytes.length < end + 2) return undefined;
    if (bytes[end] !== CR || bytes[end + 1] !== LF) throw new NoCommand();
    words.push(bytes.toString("utf8", size.end, end));
    at = end + 2;
  }
  return { words, end: at };
}

const [CR, LF] = [13, 10];

/** A line such as `*3` or `$14`; undefined while it isn't complete. */
function countAt(
  bytes: Buffer,
  at: number,
  sign: "*" | "$",
  most: number,
): { readonly value: number; readonly end: number } | undefined {
  const line = bytes.toString("latin1", at, at + LONGEST_COUNT);
  const [whole, digits] = /^.(\d{1,4})\r\n/.exec(line) ?? [];
  if (line !== "" && line[0] !== sign) throw new NoCommand();
  if (whole === undefined) {
    if (/^.?\d{0,4}\r?$/.test(line)) return undefined;
    throw new NoCommand();
  }
  const value = Number(digits);
  if (value > most) throw new NoCommand();
  return { value, end: at + whole.length };
}
