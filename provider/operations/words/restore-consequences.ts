import type { RestorePreview } from "../preview-restore";

/** What a person agrees to who has an add-on's data replaced, each a sentence without a full stop. */
export function restoreConsequences(
  { plans, warnings }: RestorePreview,
  { newestVerified }: { readonly newestVerified?: string },
): string[] {
  const kept =
    newestVerified === undefined
      ? "no backup of it is known to be verified"
      : `its newest verified backup is of ${newestVerified}`;
  return [...plans, ...warnings, kept];
}
