import { ReadableStream } from "node:stream/web";
import type { DecryptionKey } from "../../core/encryption";
import { Failure } from "../../core/errors";
import { byteReader } from "./byte-reader";
import { archiveFailure } from "./damage";
import { buffers } from "./encrypt";

/** Hundreds of recipients take less; without a limit bytes without a line's end would be held until there is no memory. */
const MOST_HEADER_BYTES = 1024 * 1024;
/** The library's words for a sound header that none of the keys opens. */
const NO_MATCH = "no identity matched any of the file's recipients";

/**
 * What was encrypted in the format of age, in constant memory; each chunk is proved before it is handed on, the last
 * one to be the last. Throws a Failure `wrong-key` or `archive-damaged`; errors of the source pass unchanged.
 */
export async function* decrypt(
  source: AsyncIterable<Buffer>,
  key: DecryptionKey,
  archive: string,
): AsyncGenerator<Buffer, void> {
  const decrypter = await decrypterFor(key, archive);
  const { header, rest } = await splitHeader(source);
  if (header === undefined)
    throw archiveFailure("archive-damaged", archive, "it does not begin as an age file does");
  async function* whole() {
    yield header ?? Buffer.alloc(0);
    yield* rest;
  }
  try {
    yield* buffers(await decrypter.decrypt(ReadableStream.from(whole())));
  } catch (error) {
    if (error instanceof Failure) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw why === NO_MATCH
      ? archiveFailure("wrong-key", archive, "the key that was given does not open it")
      : archiveFailure("archive-damaged", archive, `it cannot be decrypted: ${why}`);
  }
}

async function decrypterFor(key: DecryptionKey, archive: string) {
  const { Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  if ("passphrase" in key) decrypter.addPassphrase(key.passphrase);
  else
    for (const identity of key.identities) {
      try {
        decrypter.addIdentity(identity.trim());
      } catch {
        // The library's own message might quote a secret.
        throw archiveFailure("wrong-key", archive, "what was given is no identity, AGE-SECRET-KEY-…");
      }
    }
  return decrypter;
}

/** The header's end is a line that begins with three dashes; `header` may hold some of what follows. */
async function splitHeader(source: AsyncIterable<Buffer>) {
  const reader = byteReader(source);
  let header: Buffer = Buffer.alloc(0);
  while (!/\n---[^\n]*\n/.test(header.toString("latin1"))) {
    const more = header.length < MOST_HEADER_BYTES ? await reader.some(MOST_HEADER_BYTES) : undefined;
    if (more === undefined) return { header: undefined, rest: reader.all() };
    header = Buffer.concat([header, more]);
  }
  return { header, rest: reader.all() };
}
