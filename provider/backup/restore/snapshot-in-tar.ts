import { Header, Pax } from "tar";
import { byteReader, type ByteReader } from "../archive/byte-reader";
import { BLOCK_BYTES } from "../archive/tar";

/** How archives of format 1 begin. */
const OURS = ["README.txt", "redis.conf", "dump.rdb"];
const MOST_NAMES = 8;
/** What may be said of an entry before it: its name, at most. */
const MOST_EXTENDED_BYTES = 64 * 1024;

export type SnapshotInTar =
  | { readonly kind: "found"; readonly sizeBytes: number; readonly content: AsyncIterable<Buffer> }
  | { readonly kind: "ours" }
  /** `instead`: what it holds. */
  | { readonly kind: "none"; readonly instead: string };

/** Whether a file is a tar, by its first bytes. */
export function isTar(head: Buffer): boolean {
  return head.length >= BLOCK_BYTES && headerIn(head.subarray(0, BLOCK_BYTES)) !== undefined;
}

/**
 * Finds the one snapshot in somebody's tar, a file whose name ends in `.rdb`, and reads it as it comes: nothing is
 * unpacked, and names lead nowhere. Its content fails where another one follows, or where the tar is cut short.
 */
export async function snapshotInTar(
  source: AsyncIterable<Buffer>,
  damaged: (why: string) => Error,
): Promise<SnapshotInTar> {
  const reader = byteReader(source);
  const names: string[] = [];
  const found = await nextSnapshot(reader, damaged, (name) => names.push(name));
  if (found === undefined) return { kind: "none", instead: listed(names) };
  if (names.join() === OURS.join()) return { kind: "ours" };
  return { kind: "found", sizeBytes: found.sizeBytes, content: content() };

  async function* content(): AsyncGenerator<Buffer, void> {
    const { path = "", sizeBytes = 0 } = found ?? {};
    yield* body(reader, path, sizeBytes, damaged);
    const second = await nextSnapshot(reader, damaged, () => undefined);
    if (second !== undefined) throw damaged(`it holds several snapshots: ${listed([path, second.path])}`);
  }
}

interface Entry {
  readonly path: string;
  readonly sizeBytes: number;
}

/** The next entry that is called like a snapshot, its content not read yet; absent: there is none any more. */
async function nextSnapshot(
  reader: ByteReader,
  damaged: (why: string) => Error,
  onName: (name: string) => unknown,
): Promise<Entry | undefined> {
  let told: { path?: string | undefined; size?: number | undefined } = {};
  for (;;) {
    const block = await reader.upTo(BLOCK_BYTES);
    // Tars of others may lack the empty blocks that mark the end.
    if (block.length === 0 || (block.length === BLOCK_BYTES && block.every((byte) => byte === 0)))
      return undefined;
    const header = headerIn(block);
    if (header === undefined) throw damaged("it holds no entry where one must be");
    const { type, size = 0 } = header;
    if (type === "ExtendedHeader" || type === "NextFileHasLongPath") {
      if (size > MOST_EXTENDED_BYTES) throw damaged("it says more of an entry than any tar does");
      const text = (await collected(body(reader, "its header", size, damaged))).toString("utf8");
      told = type === "ExtendedHeader" ? Pax.parse(text) : { path: text.replace(/\0.*$/s, "") };
      continue;
    }
    const path = (told.path ?? header.path ?? "").replace(/^(?:\.\/)+/, "");
    const sizeBytes = told.size ?? size;
    told = {};
    if (type !== "GlobalExtendedHeader") onName(path);
    const isFile = type === "File" || type === "OldFile";
    if (isFile && path.endsWith(".rdb")) return { path, sizeBytes };
    for await (const _chunk of body(reader, path, sizeBytes, damaged));
  }
}

/** An entry's content, and what fills up its last block. */
async function* body(
  reader: ByteReader,
  path: string,
  sizeBytes: number,
  damaged: (why: string) => Error,
): AsyncGenerator<Buffer, void> {
  for (let left = sizeBytes; left > 0;) {
    const chunk = await reader.some(left);
    if (chunk === undefined) throw damaged(`it ends within ${listed([path])}`);
    left -= chunk.length;
    yield chunk;
  }
  await reader.upTo((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

async function collected(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  // A chunk is good until the next is asked for.
  for await (const chunk of chunks) all.push(Buffer.from(chunk));
  return Buffer.concat(all);
}

function headerIn(block: Buffer): Header | undefined {
  try {
    const header = new Header(block);
    return header.cksumValid ? header : undefined;
  } catch {
    return undefined;
  }
}

/** Names that somebody else chose, safe to print. */
function listed(names: readonly string[]): string {
  if (names.length === 0) return "nothing at all";
  const shown = names.slice(0, MOST_NAMES).map((name) => JSON.stringify(name.slice(0, 60)));
  return [...shown, ...(names.length > MOST_NAMES ? ["…"] : [])].join(", ");
}
