import { Failure } from "../../core/errors";
import { archiveFailure } from "../archive/damage";
import { gunzip } from "../archive/gunzip";
import { parseRdbHead, RDB_HEAD_BYTES, type RdbHead } from "../archive/rdb-head";
import { peek } from "../peek";
import { isTar, snapshotInTar } from "./snapshot-in-tar";

/** What a file was found to hold, by its bytes: whatever it is called. Disposing it ends the unpacking, not the source. */
export type OpenedSnapshot = AsyncDisposable & FoundSnapshot;

type FoundSnapshot =
  | {
      readonly kind: "snapshot";
      readonly head: RdbHead;
      /** Absent: known once it is read. */
      readonly sizeBytes?: number;
      /** All of it; fails with `archive-damaged` where what it is packed in is cut short or holds another one. */
      readonly content: AsyncIterable<Buffer>;
    }
  /** One of ours, or encrypted: then nobody can tell before it is opened. */
  | { readonly kind: "archive"; readonly isEncrypted: boolean };

const AGE = "age-encryption.org/";
const GZIP = Buffer.from([0x1f, 0x8b]);

/** What files begin with that are mistaken for snapshots, and what is said of them. */
const OTHERS: readonly (readonly [beginning: RegExp | string, what: string])[] = [
  [/^$/, "it is empty"],
  [/^\*\d+\r\n\$/, "it is an append-only file (AOF)"],
  [/^file \S+ seq \d+ type /, "it is the manifest of an append-only file (AOF)"],
  ["PK\u0003\u0004", "it is a zip file"],
  ["\u00fd7zXZ", "it is packed by xz"],
  ["BZh", "it is packed by bzip2"],
  ["\u0028\u00b5\u002f\u00fd", "it is packed by zstd"],
  ["\u0004\u0022\u004d\u0018", "it is packed by lz4"],
  [/^\s*[[{]/, "it looks like JSON"],
];

const UNPACK = "Unpack it first, and import the .rdb in it";
const LOAD =
  "Let a redis-server of its version load it, in a copy of its folder, have that write a snapshot (redis-cli SAVE), and import the dump.rdb";

/**
 * Opens the snapshot that a file is, or that it holds: bare, packed by gzip, or the one `.rdb` in a tar. Fails with
 * `not-a-snapshot`, which says what the file is instead.
 *
 * @param sizeBytes of the file; absent: not known
 */
export async function openSnapshot(
  source: AsyncIterable<Buffer>,
  name: string,
  sizeBytes?: number,
): Promise<OpenedSnapshot> {
  const damaged = (why: string) => archiveFailure("archive-damaged", name, why);
  const packed = await peek(source, RDB_HEAD_BYTES);
  const isPacked = packed.head.subarray(0, GZIP.length).equals(GZIP);
  if (!isPacked) return { ...(await look(packed, name, sizeBytes, damaged)), ...nothingToClose };
  const unpacked = gunzip(packed.content, damaged);
  const close = async () => void (await unpacked.return());
  try {
    const found = await look(await peek(unpacked, RDB_HEAD_BYTES), name, undefined, damaged);
    return { ...found, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

const nothingToClose = { [Symbol.asyncDispose]: () => Promise.resolve() };

async function look(
  { head, content }: Awaited<ReturnType<typeof peek>>,
  name: string,
  sizeBytes: number | undefined,
  damaged: (why: string) => Error,
): Promise<FoundSnapshot> {
  if (head.toString("latin1", 0, AGE.length) === AGE) return { kind: "archive", isEncrypted: true };
  let size = sizeBytes;
  if (isTar(head)) {
    const found = await snapshotInTar(content, damaged);
    if (found.kind === "ours") return { kind: "archive", isEncrypted: false };
    if (found.kind === "none") throw notASnapshot(name, `there is no .rdb in it, but ${found.instead}`, LOAD);
    ({ head, content } = await peek(found.content, RDB_HEAD_BYTES));
    size = found.sizeBytes;
  }
  const rdb = parseRdbHead(head);
  if (rdb === undefined) throw other(name, head);
  if (rdb.fields.get("aof-base") === "1" || rdb.fields.get("aof-preamble") === "1")
    throw notASnapshot(
      name,
      "it is the beginning of an append-only file (AOF): what was written after it is missing",
      LOAD,
    );
  return { kind: "snapshot", head: rdb, ...(size === undefined ? {} : { sizeBytes: size }), content };
}

function other(name: string, head: Buffer): Failure {
  const begins = head.toString("latin1", 0, 512);
  const [, what] =
    OTHERS.find(([beginning]) =>
      typeof beginning === "string" ? begins.startsWith(beginning) : beginning.test(begins),
    ) ?? [];
  if (what === undefined)
    return notASnapshot(
      name,
      "it does not begin as an RDB file of Redis or Valkey does",
      "Import the .rdb file that a server's SAVE, or another provider's export, has written",
    );
  return notASnapshot(name, what, what.includes("AOF") ? LOAD : UNPACK);
}

export function notASnapshot(name: string, cause: string, hint: string): Failure {
  return new Failure({ code: "not-a-snapshot", operation: "import", subject: name, cause, hint });
}
