import { z } from "zod";
import { parseMemory } from "./memory-size";
import { PLAN_NAMES, type CustomPlan, type PlanChoice } from "./plans";

const MIB = 1024 ** 2;

/** An empty server takes one or two MiB itself: with less it could hold nothing. */
const LEAST_MEMORY_BYTES = 16 * MIB;
const MOST_MEMORY_BYTES = 1024 * 1024 * MIB;
/** Each takes a file descriptor. */
const MOST_CONNECTIONS = 50_000;
/** Each takes memory, empty or not. */
const MOST_DATABASES = 1024;

const memoryError =
  'write a size from "16mb" to "1024gb" as Redis spells it, such as "512mb" or "3gb" (mb and gb count by 1024)';
const countError = (most: number) => `write a whole number from 1 to ${most}`;
const count = (most: number) =>
  z
    .number({ error: countError(most) })
    .int({ error: countError(most) })
    .min(1, { error: countError(most) })
    .max(most, { error: countError(most) });

const CustomPlanSchema: z.ZodType<CustomPlan> = z.strictObject({
  memory: z.string({ error: memoryError }).refine(
    (text) => {
      const bytes = parseMemory(text);
      return bytes !== undefined && bytes >= LEAST_MEMORY_BYTES && bytes <= MOST_MEMORY_BYTES;
    },
    { error: memoryError },
  ),
  connections: count(MOST_CONNECTIONS),
  databases: count(MOST_DATABASES),
});
const CHOICES = `${PLAN_NAMES.join(", ")}, or a size of your own: { memory: "3gb", connections: 200, databases: 4 }`;

export const PlanChoiceSchema: z.ZodType<PlanChoice> = z.unknown().transform((value, context): PlanChoice => {
  const isOwn = typeof value === "object" && value !== null;
  const parsed = (isOwn ? CustomPlanSchema : z.enum(PLAN_NAMES)).safeParse(value);
  if (parsed.success) return parsed.data;
  const wrong = value === undefined ? "choose the plan" : "there is no such plan";
  for (const { path, message } of parsed.error.issues)
    context.addIssue({ code: "custom", path: [...path], message: isOwn ? message : `${wrong}: ${CHOICES}` });
  return z.NEVER;
});
