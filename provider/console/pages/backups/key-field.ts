import type { DecryptionKey } from "../../../core/encryption";
import { Failure } from "../../../core/errors";
import type { Manifest } from "../../../core/manifest";
import type { BackupPlace } from "../../../operations/backup-place";
import { html, type Html } from "../../html";

/** Whether a person has to say what opens an archive: it is encrypted, and nobody here keeps its key. */
export function wantsKey(
  { encryption }: Pick<Manifest, "encryption">,
  { passphrase }: Pick<BackupPlace, "passphrase">,
): boolean {
  if (encryption === undefined) return false;
  return encryption.recipients !== undefined || passphrase === undefined;
}

/** A field for what opens an encrypted archive. It is sent with the form, used once and kept nowhere. */
export function keyField({ encryption }: Pick<Manifest, "encryption">, id: string): Html {
  const isPassphrase = encryption?.recipients === undefined;
  const whose = encryption?.recipients?.join(", ") ?? "";
  const help = isPassphrase
    ? "It is encrypted with a passphrase, which is not kept here."
    : `It is encrypted to ${whose === "" ? "recipients" : whose}, whose identities are not kept here.`;
  return html`<p>
    <label for="${id}">${isPassphrase ? "Passphrase" : "Identity (AGE-SECRET-KEY-1…)"}</label>
    <input id="${id}" name="key" type="password" autocomplete="off" aria-describedby="${id}-help" />
    <span class="muted help" id="${id}-help">${help} What is typed is used once and not kept.</span>
  </p>`;
}

/**
 * What opens an archive; absent: it isn't encrypted, the platform keeps the key, or none was typed. Fails with `needs-key`
 * where what was typed can't be one.
 */
export function typedKey(
  { encryption }: Pick<Manifest, "encryption">,
  typed: string,
): DecryptionKey | undefined {
  if (encryption === undefined || typed === "") return undefined;
  if (encryption.recipients === undefined) return { passphrase: typed };
  // A field of one line joins the lines of a file.
  const identities = typed.match(/AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]+/g) ?? [];
  if (identities.length > 0) return { identities: [...identities] };
  throw new Failure({
    code: "needs-key",
    operation: "open",
    subject: "the backup",
    // What was typed instead may be secret all the same.
    cause: "what was typed is no age identity",
    hint: "An identity begins with AGE-SECRET-KEY-1: it is in the file that age-keygen made",
  });
}
