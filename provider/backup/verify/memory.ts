import { freemem } from "node:os";

const MIB = 1024 * 1024;
/** A server's own, and what loading takes beside the data. */
const BESIDE_DATA_BYTES = 64 * MIB;
const PER_BYTE_OF_DATA = 1.2;

/** Why data that took so much memory in their server are not loaded here, one sentence; absent: they fit. */
export function memoryProblem(
  usedBytes: number | undefined,
  budgetBytes: number = Math.min(freemem(), process.availableMemory()) / 2,
): string | undefined {
  if (usedBytes === undefined) return "nothing says how much memory its data take";
  const needed = usedBytes * PER_BYTE_OF_DATA + BESIDE_DATA_BYTES;
  if (needed <= budgetBytes) return undefined;
  return `loading it takes ${mib(needed)} MiB of memory, and no more than ${mib(budgetBytes)} MiB may be used`;
}

function mib(bytes: number): number {
  return Math.ceil(bytes / MIB);
}
