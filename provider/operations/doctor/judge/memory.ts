import { memoryText } from "../../../core/memory-size";
import { type Check, notApplicable, ok, problem, warning } from "../check";
import { counted } from "./program";

export interface SeenMemory {
  /** The machine's, or what this container may have of it. */
  readonly totalBytes: number;
  /** What the plans promise, one for each add-on. */
  readonly plansBytes: readonly number[];
}

/** While a snapshot is taken, what is written meanwhile lies in memory twice; the system needs some itself. */
const SAFE_SHARE = 0.75;

export function judgeMemory({ totalBytes, plansBytes }: SeenMemory): Check {
  const promised = plansBytes.reduce((sum, bytes) => sum + bytes, 0);
  const seen = `the plans of ${counted(plansBytes.length)} promise ${memoryText(promised)} of ${memoryText(totalBytes)}`;
  const remedy =
    "take smaller plans, move an add-on to another machine, or give this one more memory; what they use: redis-addon list";
  if (promised > totalBytes)
    return problem("memory", seen, {
      why: "once add-ons are full the kernel ends one of them, or another process",
      remedy,
    });
  if (promised > totalBytes * SAFE_SHARE)
    return warning("memory", seen, {
      why: "a server that is written to while it takes a snapshot needs up to twice its data",
      remedy,
    });
  return ok("memory", seen);
}

export interface SeenSwap {
  readonly totalBytes: number;
  readonly usedBytes: number;
}

/** What of the system is never used lies there for good; more than that is somebody's data. */
const HARMLESS_SWAP_BYTES = 512 * 1024 ** 2;

/** Absent: not told here. */
export function judgeSwap(seen: SeenSwap | undefined): Check {
  if (seen === undefined) return notApplicable("swap", "how much is swapped out is not told here");
  const { totalBytes, usedBytes } = seen;
  if (totalBytes === 0) return ok("swap", "there is none");
  const words = `${memoryText(usedBytes)} of ${memoryText(totalBytes)} are in use`;
  if (usedBytes <= HARMLESS_SWAP_BYTES) return ok("swap", words);
  return warning("swap", words, {
    why: "a server whose data were swapped out answers a thousand times slower",
    remedy: "free memory, then: sudo swapoff -a && sudo swapon -a",
  });
}
