/** What an RDB file says of itself before its data. */
export interface RdbHead {
  /** `REDIS0010`, `VALKEY080`: the first nine characters. */
  readonly magic: string;
  readonly version: number;
  /** The auxiliary fields: `redis-ver`, `valkey-ver`, `used-mem`, `repl-id`, `repl-offset`, … */
  readonly fields: ReadonlyMap<string, string>;
}

/** More than any server writes before its data; functions may follow the fields, and they can be larger. */
export const RDB_HEAD_BYTES = 4096;

const MAGIC_BYTES = 9;
const AUXILIARY_FIELD = 0xfa;

/** Reads a file's beginning; undefined where it is no RDB. Fields that lie beyond the given bytes are left out. */
export function parseRdbHead(bytes: Buffer): RdbHead | undefined {
  const magic = bytes.toString("latin1", 0, MAGIC_BYTES);
  const version = /^(?:REDIS|VALKEY)(\d{3,4})$/.exec(magic)?.[1];
  if (magic.length !== MAGIC_BYTES || version === undefined) return undefined;
  const fields = new Map<string, string>();
  let at = MAGIC_BYTES;
  while (bytes[at] === AUXILIARY_FIELD) {
    const name = readString(bytes, at + 1);
    const value = name && readString(bytes, name.end);
    if (name === undefined || value === undefined) break;
    fields.set(name.text, value.text);
    at = value.end;
  }
  return { magic, version: Number(version), fields };
}

/** A string in RDB's encodings but the compressed one, which no field's length calls for. */
function readString(bytes: Buffer, at: number): { text: string; end: number } | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  const text = (start: number, length: number) =>
    start + length <= bytes.length
      ? { text: bytes.toString("utf8", start, start + length), end: start + length }
      : undefined;
  const integer = (length: number) =>
    at + 1 + length <= bytes.length
      ? { text: String(bytes.readIntLE(at + 1, length)), end: at + 1 + length }
      : undefined;
  switch (first >> 6) {
    case 0:
      return text(at + 1, first & 0x3f);
    case 1:
      return at + 1 < bytes.length ? text(at + 2, ((first & 0x3f) << 8) | (bytes[at + 1] ?? 0)) : undefined;
    case 3:
      return first === 0xc0
        ? integer(1)
        : first === 0xc1
          ? integer(2)
          : first === 0xc2
            ? integer(4)
            : undefined;
    default:
      return undefined;
  }
}

/** What a snapshot says of the server that wrote it. */
export function writerOf({ fields }: RdbHead): {
  readonly name: "redis" | "valkey";
  readonly version: string;
} {
  const valkey = fields.get("valkey-ver");
  if (valkey !== undefined) return { name: "valkey", version: valkey };
  return { name: "redis", version: fields.get("redis-ver") ?? "unknown" };
}
