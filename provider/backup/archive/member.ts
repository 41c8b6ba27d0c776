/**
 * A gzip member that tells its own size, so that a reader can give each to another core: in a subfield of the header
 * that RFC 1952 (2.3.1.1) leaves to whoever writes it, and every reader of gzip passes over. So does BGZF.
 *
 * 1f 8b 08, flags: an extra field alone, no time, no system; the extra field's length; `R` `A`, 4, the member's bytes.
 */
const BEGINNING = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 8, 0, 0x52, 0x41, 4, 0]);
export const HEADER_BYTES = BEGINNING.length + 4;
/** CRC-32 and size of what it unpacks to. */
export const TRAILER_BYTES = 8;

/** What goes before and after `deflatedBytes` of raw deflate. */
export function wrapping(
  deflatedBytes: number,
  content: { readonly crc32: number; readonly sizeBytes: number },
): { readonly header: Buffer; readonly trailer: Buffer } {
  const header = Buffer.alloc(HEADER_BYTES);
  BEGINNING.copy(header);
  header.writeUInt32LE(HEADER_BYTES + deflatedBytes + TRAILER_BYTES, BEGINNING.length);
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.writeUInt32LE(content.crc32, 0);
  trailer.writeUInt32LE(content.sizeBytes, 4);
  return { header, trailer };
}

/** How many bytes a member says that it has, by its header; undefined for one that doesn't say so. */
export function memberBytes(header: Buffer): number | undefined {
  if (header.length < HEADER_BYTES || !header.subarray(0, BEGINNING.length).equals(BEGINNING))
    return undefined;
  return header.readUInt32LE(BEGINNING.length);
}

/** What the end of a member says of its content. */
export function trailerOf(member: Buffer): { readonly crc32: number; readonly sizeBytes: number } {
  const at = member.length - TRAILER_BYTES;
  return { crc32: member.readUInt32LE(at), sizeBytes: member.readUInt32LE(at + 4) };
}
