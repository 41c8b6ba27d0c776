import type { DecryptionKey } from "../core/encryption";
import { Failure } from "../core/errors";
import type { Manifest } from "../core/manifest";
import type { KeyFor } from "./backup-verify";

/** What may open an archive. */
export interface KeysAtHand {
  readonly key?: DecryptionKey | undefined;
  /** Of the policy of the add-on whose backup it is. */
  readonly passphrase?: string | undefined;
  /** Asked last. */
  readonly keyFor?: KeyFor | undefined;
}

type Encryption = NonNullable<Manifest["encryption"]>;

/**
 * What opens an archive; absent where it isn't encrypted. Fails with `needs-key` before anything is fetched: hours of a
 * download must not come to nothing.
 *
 * @param encryption of a lone archive, which nothing tells how it was encrypted, `unknown`
 */
export async function keyOf(
  encryption: Encryption | "unknown" | undefined,
  { key, passphrase, keyFor }: KeysAtHand,
  subject: string,
): Promise<DecryptionKey | undefined> {
  if (encryption === undefined) return undefined;
  if (encryption === "unknown") {
    // Identities are at hand or not; a passphrase may have to be asked for.
    const asked = async (recipients?: string[]) => keyFor?.({ format: "age", recipients });
    const found = key ?? (await asked([])) ?? (await asked());
    if (found !== undefined) return found;
    throw needsKey(subject, "it is encrypted", "the identity of a recipient, or the passphrase");
  }
  const { recipients } = encryption;
  if (recipients === undefined) {
    if (key !== undefined && "passphrase" in key) return key;
    const found = passphrase === undefined ? await keyFor?.(encryption) : { passphrase };
    if (found !== undefined) return found;
    throw needsKey(subject, "it is encrypted with a passphrase, which nobody here knows", "that passphrase");
  }
  if (key !== undefined && "identities" in key) return key;
  const found = await keyFor?.(encryption);
  if (found !== undefined) return found;
  const whose = recipients.length === 0 ? "" : `, ${recipients.join(", ")}`;
  throw needsKey(subject, `it is encrypted to recipients${whose}`, "the identity of one of them");
}

function needsKey(subject: string, cause: string, what: string): Failure {
  const hint = `Give ${what} as its key`;
  return new Failure({ code: "needs-key", operation: "restore", subject, cause, hint });
}
