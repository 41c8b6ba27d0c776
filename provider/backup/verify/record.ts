import { Readable } from "node:stream";
import { Failure } from "../../core/errors";
import {
  replaces,
  type Verification,
  VERIFICATION_OUTCOMES,
  verificationKey,
  type VerificationOutcome,
  VerificationSchema,
} from "../../core/verification";
import type { Store } from "../../stores/contract";
import { readListed, readManifest } from "../catalog";
import { readBeside } from "../read-beside";

/**
 * Writes a result beside its backup. The new one is written before those of other outcomes are removed, and of several
 * the worst counts: at no moment does a damaged backup look verified. Fails with `no-such-backup` where it was removed
 * meanwhile: what vouches for a backup must not lie where the next one of that slot may come to lie.
 */
export async function recordVerification(
  store: Store,
  catalogKey: string,
  found: Verification,
  signal: AbortSignal,
): Promise<void> {
  const { slot, archive, outcome } = found;
  const listed = await readListed(store, catalogKey, slot, signal);
  if (listed === undefined || (await readManifest(store, catalogKey, slot, signal)).archive.name !== archive)
    throw new Failure({
      code: "no-such-backup",
      operation: "verify",
      subject: `backup ${slot} in ${store.url}/${catalogKey}`,
      cause: "it was removed while it was verified",
    });
  const earlier = listed.verification;
  if (!replaces(outcome, earlier) && earlier !== undefined) {
    // Left by an earlier backup of this slot, it says nothing of this one.
    const told = await readVerification(store, catalogKey, slot, earlier, signal);
    if (told === undefined || told.archive === archive) return;
  }
  const body = Buffer.from(`${JSON.stringify(VerificationSchema.parse(found), undefined, 2)}\n`);
  await store.put(verificationKey(catalogKey, slot, outcome), Readable.from([body], { objectMode: false }), {
    signal,
  });
  for (const other of VERIFICATION_OUTCOMES)
    if (other !== outcome) await store.delete(verificationKey(catalogKey, slot, other), signal);
}

/** What lies beside a backup under this outcome; undefined where there is none that this version can read. */
export async function readVerification(
  store: Store,
  catalogKey: string,
  slot: string,
  outcome: VerificationOutcome,
  signal: AbortSignal,
): Promise<Verification | undefined> {
  return readBeside(store, verificationKey(catalogKey, slot, outcome), VerificationSchema, signal);
}
