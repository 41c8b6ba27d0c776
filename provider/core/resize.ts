import { memoryText } from "./memory-size";
import type { Plan } from "./plans";

/** What a server holds and serves at this moment. */
export interface Usage {
  readonly usedMemoryBytes: number;
  /** Only databases that hold keys. */
  readonly keysByDatabase: Readonly<Record<number, number>>;
  /** Of the add-on's users. */
  readonly connections: number;
}

export interface ResizeProblem {
  readonly cause: string;
  readonly hint: string;
}

/**
 * Why a plan is too small for what is there, with the figures; absent: it isn't. A server that is made smaller than its
 * data refuses every write or, where its policy evicts, deletes keys that nobody asked it to.
 */
export function resizeProblem(from: Plan, to: Plan, usage: Usage): ResizeProblem | undefined {
  if (to.memoryBytes < from.memoryBytes && usage.usedMemoryBytes > to.memoryBytes)
    return {
      cause: `${memoryText(usage.usedMemoryBytes)} of memory are in use, and the new plan has ${memoryText(to.memoryBytes)}`,
      hint: "Choose a plan with more memory, or delete data first",
    };
  const lost = Object.entries(usage.keysByDatabase).filter(
    ([database, keys]) => Number(database) >= to.databases && keys > 0,
  );
  if (to.databases >= from.databases || lost.length === 0) return undefined;
  const held = lost.map(([database, keys]) => `database ${database} holds ${keys} keys`).join(", ");
  return {
    cause: `${held}, and the new plan has databases 0 to ${to.databases - 1} only`,
    hint: "Choose a plan with more databases, or move or flush those keys first",
  };
}

/** How many connections a plan closes, for messages; 0: none. */
export function closedConnections(to: Plan, usage: Usage): number {
  return Math.max(0, usage.connections - to.connections);
}

/** A restart's own time, however little there is to load. */
const LEAST_RESTART_MS = 500;
/** Measured on two small cores: 150 to 300 MiB of data are read back in a second. */
const LOADED_BYTES_PER_MS = (150 * 1024 ** 2) / 1000;

/** About how long a server is away while it restarts, in milliseconds. */
export function restartEstimateMs(usage: Usage): number {
  return LEAST_RESTART_MS + Math.ceil(usage.usedMemoryBytes / LOADED_BYTES_PER_MS);
}
