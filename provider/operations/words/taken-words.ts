import { memoryText } from "../../core/memory-size";
import { VERIFICATION_WORDS } from "../../core/verification";
import type { BackupResult } from "../../platforms/contract";
import { notLoaded } from "./addon-words";

/** What the source said changed meanwhile; what a server counted is what there is. */
export function takenKeys({ keys, verification }: BackupResult): string {
  return verification?.outcome === "verified" ? String(keys) : `about ${keys}`;
}

/** What the result says only to who looks closely. */
export function takenWarnings({ verification, warnings }: BackupResult): string[] {
  if (verification?.outcome !== "structure-checked") return [...warnings];
  return [...warnings, notLoaded(verification)];
}

/** `backup 20260501T030000000Z: 3.4 MiB, 2000 keys, verified`. */
export function takenWords(taken: BackupResult): string {
  const { slot, sizeBytes, keys, verification } = taken;
  const known = [
    memoryText(sizeBytes),
    ...(keys === undefined ? [] : [`${takenKeys(taken)} ${keys === 1 ? "key" : "keys"}`]),
    verification === undefined ? "not verified" : VERIFICATION_WORDS[verification.outcome],
  ];
  return `backup ${slot}: ${known.join(", ")}`;
}
