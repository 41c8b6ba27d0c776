/**
 * The reference system's size classes. Sizes are Redis's (1 MiB = 1024² bytes).
 * Source: Clever Cloud's documentation of its Redis add-on.
 */
export interface Plan {
  readonly memoryBytes: number;
  /** How many clients may be connected at once. */
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

export const PLANS: Readonly<Record<PlanName, Plan>> = {
  s_mono: { memoryBytes: 128 * MIB, connections: 100, databases: 1 },
  m_mono: { memoryBytes: 256 * MIB, connections: 250, databases: 5 },
  l_mono: { memoryBytes: 512 * MIB, connections: 500, databases: 10 },
  xl_mono: { memoryBytes: 1024 * MIB, connections: 500, databases: 10 },
  xxl_mono: { memoryBytes: 2560 * MIB, connections: 750, databases: 10 },
  xxxl_mono: { memoryBytes: 5120 * MIB, connections: 1000, databases: 20 },
  xxxxl_mono: { memoryBytes: 10240 * MIB, connections: 1500, databases: 20 },
};
