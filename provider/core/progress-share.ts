import type { Progress } from "./task";

/** An estimate may be too small: before the end nothing is done. */
const MOST_OF_AN_ESTIMATE = 0.99;

/** How much of it is done, between 0 and 1. */
export interface ProgressShare {
  readonly fraction: number;
  readonly isEstimate: boolean;
}

/** Absent where nobody knows how much there is. */
export function progressShare({
  doneBytes,
  totalBytes,
  estimatedBytes,
}: Progress): ProgressShare | undefined {
  if (doneBytes === undefined) return undefined;
  if (totalBytes !== undefined && totalBytes > 0)
    return { fraction: Math.min(1, doneBytes / totalBytes), isEstimate: false };
  if (estimatedBytes !== undefined && estimatedBytes > 0)
    return { fraction: Math.min(MOST_OF_AN_ESTIMATE, doneBytes / estimatedBytes), isEstimate: true };
  return undefined;
}

/** `42 %`, `~42 %` where it is estimated. */
export function percentText({ fraction, isEstimate }: ProgressShare): string {
  return `${isEstimate ? "~" : ""}${Math.floor(fraction * 100)} %`;
}
