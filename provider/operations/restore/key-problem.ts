import type { Readable } from "node:stream";
import { Failure } from "../../core/errors";
import type { RestoreProblem } from "../../core/restore-fit";
import type { Task } from "../../core/task";
import { unlessAborted } from "../../system/unless-aborted";
import { openPlace } from "../backup-place";
import { IDENTITY, PASSPHRASE, wayToGive } from "./restore-key";
import type { ResolvedRestore, RestoreSecrets } from "./restore-source";

type KeyProblem = Omit<RestoreProblem, "code"> & { readonly code: "wrong-key" | "key-untried" };
type Asking = Pick<Task, "signal">;

/**
 * What stands against the key that is at hand, tried on the first bytes of the archive: a policy's passphrase may have
 * been changed since, and identities are easily mixed up. That it can't be tried now is no refusal. Reads only.
 */
export async function keyProblem(
  resolved: ResolvedRestore,
  { keyFor }: RestoreSecrets,
  { signal }: Asking,
): Promise<KeyProblem | undefined> {
  const { source, backup, manifest } = resolved;
  if (source.kind === "snapshot" || source.key === undefined) return undefined;
  const { key } = source;
  const { whyNotOpened } = await import("../../backup/archive/try-key.js");
  const look = async () => {
    const content = await opened(resolved, { signal });
    try {
      return await whyNotOpened(content as AsyncIterable<Buffer>, key, backup, signal);
    } finally {
      content.destroy();
    }
  };
  try {
    const why = await unlessAborted(look, signal);
    if (why === undefined) return undefined;
    const isPassphrase = "passphrase" in key;
    const recipients = manifest?.encryption?.recipients ?? [];
    const to = recipients.length === 0 ? "" : ` to ${recipients.join(", ")}`;
    return {
      ...{ code: "wrong-key", severity: "refuse" },
      cause: `${backup} is encrypted${isPassphrase ? " with a passphrase" : to}, and ${why}`,
      hint: isPassphrase
        ? `${wayToGive("the passphrase that it was encrypted with", PASSPHRASE, keyFor)}; that of a policy may have been changed since`
        : wayToGive("the identity of one of its recipients", IDENTITY, keyFor),
    };
  } catch (error) {
    if (!signal.aborted && !(error instanceof Failure)) throw error;
    const why = error instanceof Failure && !signal.aborted ? error.cause : "there was not enough time";
    return {
      ...{ code: "key-untried", severity: "warn" },
      cause: `whether the key that is at hand opens ${backup} could not be tried: ${why}`,
      hint: "The restore tries it before anything is replaced",
    };
  }
}

async function opened({ source, manifest }: ResolvedRestore, { signal }: Asking): Promise<Readable> {
  if (source.kind === "backup") {
    const { destination, credentials, catalogKey } = source;
    const store = await openPlace({ destination, credentials });
    return store.get(`${catalogKey}/${manifest?.archive.name}`, signal);
  }
  const { openObject } = await import("../../stores/open-object.js");
  return (await openObject(source.url, "credentials" in source ? source.credentials : undefined, signal))
    .content;
}
