import type { Command } from "commander";
import { RetentionSchema, type Retention } from "../core/retention";
import { wrongUsage } from "./exit-codes";

/** Rules of a retention as options; the names are those of a policy. */
export interface RetentionOptions {
  readonly days?: string;
  readonly keepLast?: string;
  readonly daily?: string;
  readonly weekly?: string;
  readonly monthly?: string;
  readonly yearly?: string;
  readonly minimum?: string;
}

const MEANINGS: Readonly<Record<keyof RetentionOptions, string>> = {
  days: "keep what is at most so many days old",
  keepLast: "keep the last so many",
  daily: "keep one a day for so many days",
  weekly: "keep one a week for so many weeks",
  monthly: "keep one a month for so many months",
  yearly: "keep one a year for so many years",
  minimum: "however old they are, keep so many",
};

export function retentionOptions(command: Command): Command {
  for (const [rule, meaning] of Object.entries(MEANINGS)) command.option(`${flagOf(rule)} <n>`, meaning);
  return command;
}

/** Absent where no rule was given. */
export function retentionOf(options: RetentionOptions): Retention | undefined {
  const given = Object.keys(MEANINGS).flatMap((rule) => {
    const text = options[rule as keyof RetentionOptions];
    return text === undefined ? [] : [[rule, Number(text)] as const];
  });
  if (given.length === 0) return undefined;
  const parsed = RetentionSchema.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path[0] === undefined ? "the rules" : flagOf(String(issue.path[0]));
  const alone = issue?.path.length === 0 && options.minimum !== undefined;
  throw wrongUsage(
    where,
    alone ? "--minimum alone says nothing of how long backups are kept" : (issue?.message ?? ""),
    alone ? "Add a rule, such as --days 7" : "",
  );
}

function flagOf(rule: string): string {
  return rule === "keepLast" ? "--keep-last" : `--${rule}`;
}
