import { z } from "zod";
import { nameProblem } from "../core/addon-name";

/** An input with a fixed set of values, and failures that list them. */
export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values, what: string) {
  return z.enum(values, {
    error: (issue) =>
      `${issue.input === undefined ? `choose the ${what}` : `there is no such ${what}`}: ${values.join(", ")}`,
  });
}

/** An input that names an add-on: a RedisAddon's id is its name. */
export function addonReference(what: string) {
  return z.string({ error: `name ${what}: a RedisAddon or its id` }).superRefine((name, context) => {
    const problem = nameProblem(name);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });
}
