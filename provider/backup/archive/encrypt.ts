import { ReadableStream } from "node:stream/web";
import { type DecryptionKey, type Encryption, isPostQuantum } from "../../core/encryption";
import { Failure } from "../../core/errors";

export interface Encrypted {
  readonly bytes: AsyncIterable<Buffer>;
  /** Opens these bytes; for recipients it is one of its own, made for this call, that nobody else knows. */
  readonly key: DecryptionKey;
}

/** Encrypts a stream in the format of age, in constant memory. Throws a Failure `invalid-recipient` before reading it. */
export async function encrypt(source: AsyncIterable<Buffer>, encryption: Encryption): Promise<Encrypted> {
  const { encrypter, key } = await encrypterFor(encryption);
  const encrypted = await encrypter.encrypt(ReadableStream.from(source));
  return { bytes: buffers(encrypted), key };
}

/** Checks recipients to the last character, which their pattern alone doesn't. Throws a Failure `invalid-recipient`. */
export async function checkRecipients(encryption: Encryption): Promise<void> {
  await encrypterFor(encryption);
}

async function encrypterFor(encryption: Encryption) {
  const age = await import("age-encryption");
  const encrypter = new age.Encrypter();
  if ("passphrase" in encryption) {
    encrypter.setPassphrase(encryption.passphrase);
    return { encrypter, key: { passphrase: encryption.passphrase } };
  }
  for (const recipient of encryption.recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch {
      throw invalidRecipient(recipient);
    }
  }
  // A weaker key of ours would undo what the recipients' own ones protect from.
  const identity = encryption.recipients.every(isPostQuantum)
    ? await age.generateHybridIdentity()
    : await age.generateX25519Identity();
  encrypter.addRecipient(await age.identityToRecipient(identity));
  return { encrypter, key: { identities: [identity] } };
}

function invalidRecipient(recipient: string): Failure {
  return new Failure({
    code: "invalid-recipient",
    operation: "encrypt to",
    subject: recipient.length > 70 ? `${recipient.slice(0, 66)}…` : recipient,
    cause: "it is no age recipient: its characters don't fit its checksum, or its kind is unknown here",
    hint: "Copy it again from where age-keygen printed it as `public key`",
  });
}

export async function* buffers(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void> {
  for await (const { buffer, byteOffset, byteLength } of chunks)
    yield Buffer.from(buffer, byteOffset, byteLength);
}
