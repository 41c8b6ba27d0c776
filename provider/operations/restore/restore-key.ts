import type { DecryptionKey } from "../../core/encryption";
import { Failure } from "../../core/errors";
import type { Manifest } from "../../core/manifest";
import type { KeyFor } from "../backup-verify";

/** What may open an archive. */
export interface KeysAtHand {
  readonly key?: DecryptionKey | undefined;
  /** Of the policy of the add-on whose backup it is. */
  readonly passphrase?: string | undefined;
  /** Asked last. */
  readonly keyFor?: KeyFor | undefined;
}

/** How a person gives them to the command line. */
export const IDENTITY = "--identity <file>";
export const PASSPHRASE = "REDIS_ADDON_PASSPHRASE, or at a terminal";

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
  const by = (what: string, option: string) => wayToGive(what, option, keyFor);
  if (encryption === "unknown") {
    // Identities are at hand or not; a passphrase may have to be asked for.
    const asked = async (recipients?: string[]) => keyFor?.({ format: "age", recipients });
    const found = key ?? (await asked([])) ?? (await asked());
    if (found !== undefined) return found;
    const hint = by("the identity of a recipient, or the passphrase", `${IDENTITY}, or ${PASSPHRASE}`);
    throw needsKey(subject, "it is encrypted", hint);
  }
  const { recipients } = encryption;
  if (recipients === undefined) {
    if (key !== undefined && "passphrase" in key) return key;
    const found = passphrase === undefined ? await keyFor?.(encryption) : { passphrase };
    if (found !== undefined) return found;
    const cause = "it is encrypted with a passphrase, which nobody here knows";
    throw needsKey(subject, cause, by("that passphrase", PASSPHRASE));
  }
  if (key !== undefined && "identities" in key) return key;
  const found = await keyFor?.(encryption);
  if (found !== undefined) return found;
  const whose = recipients.length === 0 ? "" : `, ${recipients.join(", ")}`;
  const cause = `it is encrypted to recipients${whose}`;
  throw needsKey(subject, cause, by("the identity of one of them", IDENTITY));
}

/** How to give a key: a program says it in `restoreFrom`; a person, who is asked, by an option. */
export function wayToGive(what: string, option: string, keyFor: KeyFor | undefined): string {
  return `Give ${what}${keyFor === undefined ? " as its key" : `: ${option}`}`;
}

function needsKey(subject: string, cause: string, hint: string): Failure {
  return new Failure({ code: "needs-key", operation: "restore", subject, cause, hint });
}
