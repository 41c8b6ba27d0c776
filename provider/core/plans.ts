import { memoryText, parseMemory } from "./memory-size";

/** What an add-on is given. Sizes are Redis's (1 MiB = 1024² bytes). */
export interface Plan {
  /** Redis's maxmemory, exactly. */
  readonly memoryBytes: number;
  /** How many clients of the add-on's user may be connected at once. */
  readonly connections: number;
  readonly databases: number;
}

export const PLAN_NAMES = [
  "s_mono",
  "m_mono",
  "l_mono",
  "xl_mono",
  "xxl_mono",
  "xxxl_mono",
  "xxxxl_mono",
] as const;
export type PlanName = (typeof PLAN_NAMES)[number];

const MIB = 1024 ** 2;

/** The reference system's size classes. Source: Clever Cloud's documentation of its Redis add-on. */
const PLANS: Readonly<Record<PlanName, Plan>> = {
  s_mono: { memoryBytes: 128 * MIB, connections: 100, databases: 1 },
  m_mono: { memoryBytes: 256 * MIB, connections: 250, databases: 5 },
  l_mono: { memoryBytes: 512 * MIB, connections: 500, databases: 10 },
  xl_mono: { memoryBytes: 1024 * MIB, connections: 500, databases: 10 },
  xxl_mono: { memoryBytes: 2560 * MIB, connections: 750, databases: 10 },
  xxxl_mono: { memoryBytes: 5120 * MIB, connections: 1000, databases: 20 },
  xxxxl_mono: { memoryBytes: 10240 * MIB, connections: 1500, databases: 20 },
};

/** A size of one's own, as it was written. */
export interface CustomPlan {
  /** As redis.conf spells it: `3gb`, `512mb`; mb and gb count by 1024. Redis's maxmemory, exactly. */
  readonly memory: string;
  /** How many clients of the add-on's user may be connected at once. */
  readonly connections: number;
  readonly databases: number;
}

export type PlanChoice = PlanName | CustomPlan;

export function planOf(choice: PlanChoice): Plan {
  if (typeof choice === "string") return PLANS[choice];
  const { memory, connections, databases } = choice;
  return { memoryBytes: parseMemory(memory) ?? 0, connections, databases };
}

/** For people: `s_mono: 128 MiB, 100 connections, 1 database`. */
export function planText(choice: PlanChoice): string {
  return `${typeof choice === "string" ? choice : "custom"}: ${sizeText(planOf(choice))}`;
}

function sizeText({ memoryBytes, connections, databases }: Plan): string {
  const plural = (n: number, noun: string) => `${n} ${noun}${n === 1 ? "" : "s"}`;
  return `${memoryText(memoryBytes)}, ${plural(connections, "connection")}, ${plural(databases, "database")}`;
}
