/** How a check ended; `not-applicable`: there is no such thing here, or nobody can tell. */
export type CheckResult = "ok" | "warning" | "problem" | "not-applicable";

/** One thing that was looked at. Every text is without a full stop at its end. */
export interface Check {
  /** Its name, which stays the same: `overcommit`. */
  readonly id: string;
  readonly result: CheckResult;
  /** What was found. */
  readonly seen: string;
  /** What may come of it. */
  readonly why?: string;
  /** What to do: a command to paste, where one does it. */
  readonly remedy?: string;
}

type Reason = Required<Pick<Check, "why" | "remedy">>;

export function ok(id: string, seen: string): Check {
  return { id, result: "ok", seen };
}

export function notApplicable(id: string, seen: string): Check {
  return { id, result: "not-applicable", seen };
}

/** Something that is wrong, or will be. */
export function problem(id: string, seen: string, reason: Reason): Check {
  return { id, result: "problem", seen, ...reason };
}

/** Something that can go on as it is, at a price or a risk. */
export function warning(id: string, seen: string, reason: Reason): Check {
  return { id, result: "warning", seen, ...reason };
}

const WORST_FIRST: readonly CheckResult[] = ["problem", "warning", "ok", "not-applicable"];

/** What a person should look at first comes first; otherwise the order stays. */
export function worstFirst(checks: readonly Check[]): Check[] {
  const rank = ({ result }: Check) => WORST_FIRST.indexOf(result);
  return [...checks].sort((a, b) => rank(a) - rank(b));
}
