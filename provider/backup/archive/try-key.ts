import { createDecipheriv, scrypt } from "node:crypto";
import { promisify } from "node:util";
import type { DecryptionKey } from "../../core/encryption";
import { Failure } from "../../core/errors";
import { decrypt } from "./decrypt";

/** The only stanza of an archive with a passphrase: a salt, the logarithm of the work, and the file's key, wrapped. */
const PASSPHRASE_HEADER =
  /^age-encryption\.org\/v1\n-> scrypt ([A-Za-z0-9+/]{22}) ([1-9][0-9]?)\n([A-Za-z0-9+/]{43})\n---/;
const LONGEST_HEADER_CHARACTERS = 128;
const LABEL = "age-encryption.org/v1/scrypt";
/** What age chooses: 256 MiB of memory. More is not spent on a look. */
const MOST_WORK = 18;
const BLOCK = 8;

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt);
/** One at a time: each takes its memory. */
let lastLook: Promise<unknown> = Promise.resolve();

/**
 * Why a key doesn't open an archive, by the archive's beginning alone, a sentence; absent: it
 * does, or only reading all of it can tell. The stream is of no use afterwards. Keeps no event loop
 * busy: a passphrase takes a second of another thread. Fails as the stream does, and with the signal's reason.
 */
export async function whyNotOpened(
  content: AsyncIterable<Buffer>,
  key: DecryptionKey,
  archive: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if ("identities" in key) return whyIdentitiesDoNot(content, key, archive);
  const found = PASSPHRASE_HEADER.exec(await beginning(content));
  if (found === null) return undefined;
  const [, salt = "", work = "", wrapped = ""] = found;
  if (Number(work) > MOST_WORK) return undefined;
  const look = lastLook.then(async () => {
    signal.throwIfAborted();
    return unwraps(
      key.passphrase,
      Buffer.from(salt, "base64"),
      2 ** Number(work),
      Buffer.from(wrapped, "base64"),
    );
  });
  lastLook = look.catch(() => undefined);
  return (await look) ? undefined : "the one that is at hand does not open it";
}

async function whyIdentitiesDoNot(
  content: AsyncIterable<Buffer>,
  key: DecryptionKey,
  archive: string,
): Promise<string | undefined> {
  const opened = decrypt(content, key, archive);
  try {
    await opened.next();
    return undefined;
  } catch (error) {
    if (error instanceof Failure && error.code === "wrong-key") return error.cause;
    // Of damage those judge that read it all, and read it twice.
    if (error instanceof Failure && error.code === "archive-damaged") return undefined;
    throw error;
  } finally {
    await opened.return();
  }
}

async function beginning(content: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const chunk of content) {
    text += chunk.toString("latin1", 0, LONGEST_HEADER_CHARACTERS);
    if (text.length >= LONGEST_HEADER_CHARACTERS) break;
  }
  return text;
}

async function unwraps(passphrase: string, salt: Buffer, work: number, wrapped: Buffer): Promise<boolean> {
  const options = { N: work, r: BLOCK, p: 1, maxmem: 2 * 128 * work * BLOCK };
  const key = await derive(passphrase, Buffer.concat([Buffer.from(LABEL), salt]), 32, options);
  const opener = createDecipheriv("chacha20-poly1305", key, Buffer.alloc(12), { authTagLength: 16 });
  opener.setAuthTag(wrapped.subarray(-16));
  opener.update(wrapped.subarray(0, -16));
  try {
    opener.final();
    return true;
  } catch {
    return false;
  }
}
