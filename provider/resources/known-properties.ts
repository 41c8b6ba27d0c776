import { z } from "zod";
import { nearest } from "../core/nearest";

/** An input that is an object, whose properties are these and whose unknown ones are told with what was probably meant. */
export function knownProperties<Value>(names: readonly string[], schema: z.ZodType<Value>): z.ZodType<Value> {
  return z.unknown().transform((value, context): Value => {
    const unknown = typeof value === "object" && value !== null ? strangers(value, names) : [];
    for (const message of unknown) context.addIssue({ code: "custom", message });
    if (unknown.length > 0) return z.NEVER;
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    for (const { path, message } of result.error.issues)
      context.addIssue({ code: "custom", path: [...path], message });
    return z.NEVER;
  });
}

function strangers(value: object, names: readonly string[]): string[] {
  return Object.keys(value)
    .filter((key) => !names.includes(key))
    .map((key) => {
      const meant = nearest(key, names);
      const remedy = meant === undefined ? `there are ${names.join(", ")}` : `did you mean \`${meant}\`?`;
      return `there is no \`${key}\` in it; ${remedy}`;
    });
}
