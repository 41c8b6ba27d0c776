import { createHash } from "node:crypto";
import { Header } from "tar";
import type { Manifest } from "../../core/manifest";
import { byteReader, type ByteReader } from "./byte-reader";
import { FOLDER, LINK } from "./layout";
import { BLOCK_BYTES } from "./tar";

/** Where the content goes. Errors of its own (a full disk) pass through the reader unchanged. */
export interface ArchiveSink {
  folder(path: string): Promise<void>;
  link(path: string, target: string): Promise<void>;
  /** Called once for each file, with its content to its end. */
  file(path: string, content: AsyncIterable<Buffer>): Promise<void>;
}

/** Of a header's fields, those that must be looked at as they are. */
const TYPES = { file: "0", link: "1", folder: "5" } as const;
const SIZE_AT = 124;
const SIZE_BYTES = 12;
const TYPE_AT = 156;

export type FoundFile = Pick<Manifest["files"][number], "path" | "sizeBytes" | "sha256">;

/** A regular file that must be there: as a manifest describes it, or of any size that is admitted, by not throwing. */
export type ExpectedFile =
  FoundFile | { readonly path: string; readonly admit: (sizeBytes: number) => void | Promise<void> };

/**
 * Reads a tar that must hold exactly these files, and the folder and the link of format 1: each once, nothing else, and
 * nothing after its end. What is read of a wrong one is bounded by the sizes that are told or admitted. Whatever the tar
 * calls its entries, only names that were asked for reach the sink. Returns what it found, in its order.
 */
export async function readTar(
  bytes: AsyncIterable<Buffer>,
  files: readonly ExpectedFile[],
  sink: ArchiveSink,
  damaged: (why: string) => Error,
): Promise<FoundFile[]> {
  const reader = byteReader(bytes);
  const expected = new Map(files.map((file) => [file.path, file]));
  const missing = new Set<string>([...expected.keys(), FOLDER, LINK.path]);
  const found: FoundFile[] = [];

  for (;;) {
    const header = await nextHeader(reader, damaged);
    if (header === undefined) break;
    const { path, type, size, linkpath } = header;
    const file = expected.get(path);
    if (!missing.delete(path))
      throw damaged(
        file === undefined
          ? `it holds an entry that is none of its own: ${shown(path)}`
          : `it holds ${path} twice`,
      );
    if (file !== undefined) {
      if (type !== TYPES.file) throw damaged(`${path} is no regular file in it`);
      if ("admit" in file) {
        if (size === undefined || !Number.isSafeInteger(size) || size < 0)
          throw damaged(`${path} has no size in it`);
        await file.admit(size);
      } else if (size !== file.sizeBytes)
        throw damaged(`${path} has ${size} bytes in it instead of ${file.sizeBytes}`);
      const read = await readFile(reader, path, size, sink, damaged);
      if (!("admit" in file) && read.sha256 !== file.sha256)
        throw damaged(`the content of ${path} is not what was written`);
      found.push(read);
    } else if (path === FOLDER) {
      if (type !== TYPES.folder || size !== 0) throw damaged(`${path} is no folder in it`);
      await sink.folder(path);
    } else {
      if (type !== TYPES.link || size !== 0 || linkpath !== LINK.target || missing.has(LINK.target))
        throw damaged(`${path} is no link to ${LINK.target} in it`);
      await sink.link(path, LINK.target);
    }
  }
  if (missing.size > 0) throw damaged(`it lacks ${[...missing].join(", ")}`);
  if ((await reader.some(1)) !== undefined) throw damaged("something follows its end");
  return found;
}

/** Undefined at the end, which is two empty blocks. */
async function nextHeader(reader: ByteReader, damaged: (why: string) => Error) {
  const block = await reader.upTo(BLOCK_BYTES);
  if (block.length < BLOCK_BYTES) throw damaged("it ends before the end that a tar marks");
  if (isEmpty(block)) {
    const second = await reader.upTo(BLOCK_BYTES);
    if (second.length < BLOCK_BYTES || !isEmpty(second)) throw damaged("its end is not one that a tar has");
    return undefined;
  }
  const { path = "", linkpath, size, cksumValid } = parseHeader(block) ?? { cksumValid: false };
  if (!cksumValid) throw damaged("it holds no entry where one must be");
  // The library takes a file whose name ends in a slash for a folder, and a folder's size for zero; others don't.
  const type = block.toString("latin1", TYPE_AT, TYPE_AT + 1);
  const saysZero = /^[0\0 ]*$/.test(block.toString("latin1", SIZE_AT, SIZE_AT + SIZE_BYTES));
  return { path, linkpath, type, size: size === 0 && !saysZero ? undefined : size };
}

/** Undefined where a field is none that the library can read. */
function parseHeader(block: Buffer): Header | undefined {
  try {
    return new Header(block);
  } catch {
    return undefined;
  }
}

function isEmpty(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

async function readFile(
  reader: ByteReader,
  path: string,
  sizeBytes: number,
  sink: ArchiveSink,
  damaged: (why: string) => Error,
): Promise<FoundFile> {
  const hash = createHash("sha256");
  async function* content() {
    for (let left = sizeBytes; left > 0;) {
      const chunk = await reader.some(left);
      if (chunk === undefined) throw damaged(`it ends within ${path}`);
      left -= chunk.length;
      hash.update(chunk);
      yield chunk;
    }
  }
  await sink.file(path, content());
  const padding = await reader.upTo((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
  if (!isEmpty(padding)) throw damaged(`something follows ${path} that belongs to no entry`);
  return { path, sizeBytes, sha256: hash.digest("hex") };
}

/** A name that somebody else chose, safe to print. */
function shown(path: string): string {
  return JSON.stringify(path.slice(0, 100));
}
