import type { AddonStatus, Health } from "../../../core/status";
import { refusesWrites } from "../parts/usage";

const RANKS: Readonly<Record<Health, number>> = {
  down: 0,
  degraded: 1,
  starting: 4,
  syncing: 4,
  removing: 4,
  healthy: 5,
};

/** Whether somebody should look at it. */
export function hasProblem({ health, problems }: AddonStatus): boolean {
  return problems.length > 0 || health === "down" || health === "degraded";
}

/** What needs somebody first, then what will soon, then by name. */
export function problemsFirst(addons: readonly AddonStatus[]): AddonStatus[] {
  return addons
    .map((status) => ({ status, rank: rankOf(status) }))
    .toSorted((a, b) => a.rank - b.rank || (a.status.name < b.status.name ? -1 : 1))
    .map(({ status }) => status);
}

function rankOf(status: AddonStatus): number {
  const rank = RANKS[status.health];
  const worst = hasProblem(status) ? 2 : refusesWrites(status) ? 3 : rank;
  return Math.min(rank, worst);
}

/** What is the matter with every one of them, such as that no agent runs: said once, it needn't be said of each. */
export function sharedProblems(addons: readonly AddonStatus[]): readonly string[] {
  const [first, ...others] = addons;
  if (first === undefined || others.length === 0) return [];
  return first.problems.filter((problem) => others.every(({ problems }) => problems.includes(problem)));
}
