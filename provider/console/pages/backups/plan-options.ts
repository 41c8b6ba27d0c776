import type { ServerWish } from "../../../core/facets";
import { PLAN_NAMES, type PlanChoice, planOf, planText } from "../../../core/plans";
import { restoreProblems } from "../../../core/restore-fit";
import type { BackupDetails } from "../../../operations/backup-catalog";

/** As a form sends the plan of the add-on whose backup it is, where that is a size of its own. */
const AS_IT_IS = "as-it-is";

export interface PlanOption {
  /** As a form sends it. */
  readonly value: string;
  readonly plan: PlanChoice;
  readonly words: string;
  readonly fits: boolean;
}

/** The plans for an add-on that takes a backup's data, the smallest first; one that is too small says so. */
export function planOptions(
  { plan: own, evictionPolicy }: Pick<ServerWish, "plan" | "evictionPolicy">,
  { manifest, verification }: Pick<BackupDetails, "manifest" | "verification">,
): PlanOption[] {
  const choices: { readonly value: string; readonly plan: PlanChoice }[] = [
    ...(typeof own === "string" ? [] : [{ value: AS_IT_IS, plan: own }]),
    ...PLAN_NAMES.map((plan) => ({ value: plan, plan })),
  ];
  return choices.map(({ value, plan }) => {
    const { databases, memoryBytes } = planOf(plan);
    const problems = restoreProblems({
      ...{ manifest, databases, maxmemoryBytes: memoryBytes, evictionPolicy },
      counts: verification?.counts,
    });
    const fits = !problems.some(({ severity }) => severity === "refuse");
    return { value, plan, words: `${planText(plan)}${fits ? "" : " (too small)"}`, fits };
  });
}

/** The same as the add-on's own, or where that is too small the smallest that isn't; absent: every one is. */
export function defaultPlan(
  options: readonly PlanOption[],
  { plan: own }: Pick<ServerWish, "plan">,
): PlanOption | undefined {
  const same = options.find(({ value }) => value === (typeof own === "string" ? own : AS_IT_IS));
  return same?.fits === true ? same : options.find(({ value, fits }) => fits && value !== AS_IT_IS);
}
