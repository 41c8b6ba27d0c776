import { z } from "zod";
import { holdsUnknown, isHidden, PLACEHOLDER, type Properties } from "./properties";

/** What check tells the engine. A named property's VALUE is printed, so only names of a definition's `nameable`. */
export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

export interface Validation {
  /** Every visible input: validated and defaulted, or as it came where it holds an unknown. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Inputs whose value, or a part of it, is known only during the update. */
  readonly unknown: ReadonlySet<string>;
  readonly failures: readonly CheckFailure[];
}

export interface InputRules {
  readonly shape: z.ZodRawShape;
  /** Outputs that check fills: they may hold the SDK's placeholder. */
  readonly computed: readonly string[];
  /** Inputs that can't hold a secret, so that a failure may name them. */
  readonly nameable: readonly string[];
}

/** Validates each input by itself, because in a preview some of them are unknown. */
export function validate(rules: InputRules, news: Properties, given: readonly string[]): Validation {
  const values: Record<string, unknown> = {};
  const unknown = new Set<string>();
  const failures: CheckFailure[] = [];
  const inputs = new Map(
    Object.entries(news).filter(
      ([key, value]) =>
        !isHidden(key) &&
        value !== null &&
        value !== PLACEHOLDER &&
        // What is computed and was not given is what an earlier check filled in.
        (given.includes(key) || !rules.computed.includes(key)),
    ),
  );
  for (const key of inputs.keys())
    if (!(key in rules.shape))
      failures.push({ property: "", reason: `there is no input \`${key}\`${suggestion(key, rules.shape)}` });
  for (const [key, schema] of Object.entries(rules.shape)) {
    const value = inputs.get(key);
    if (holdsUnknown(value)) {
      unknown.add(key);
      values[key] = value;
      continue;
    }
    const result = z.safeParse(schema, value);
    if (result.success) {
      if (result.data !== undefined) values[key] = result.data;
    } else
      failures.push(...result.error.issues.map((issue) => failure(rules, key, issue.path, issue.message)));
  }
  return { values, unknown, failures };
}

/** A failure of one input, in a form in which the engine prints no secret. */
function failure(rules: InputRules, key: string, path: readonly PropertyKey[], reason: string): CheckFailure {
  if (path.length === 0 && rules.nameable.includes(key)) return { property: key, reason };
  return { property: "", reason: `\`${[key, ...path].map(String).join(".")}\`: ${reason}` };
}

function suggestion(key: string, shape: z.ZodRawShape): string {
  const names = Object.keys(shape);
  const meant = names.find((name) => name.toLowerCase() === key.toLowerCase());
  return meant === undefined ? `; there are ${names.join(", ")}` : `; did you mean \`${meant}\`?`;
}
