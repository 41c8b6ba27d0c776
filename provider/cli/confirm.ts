import { Failure } from "../core/errors";
import { askLine, canAsk } from "./prompt";

interface Question {
  /** `--yes` as it was given. */
  readonly yes: boolean | undefined;
  /** What was asked for, as a Failure says it. */
  readonly operation: string;
  readonly subject: string;
  /** What it would do, each a sentence without a full stop. */
  readonly consequences: readonly string[];
}

/** Returns once somebody agreed, by `--yes` or at the terminal; else throws a Failure that says what would happen. */
export async function confirm({ yes, operation, subject, consequences }: Question): Promise<void> {
  if (yes === true) return;
  const told = consequences.join("; ");
  const refused = (cause: string, hint: string) =>
    new Failure({ code: "not-confirmed", operation, subject, cause, hint });
  if (!canAsk()) throw refused(`this is what would happen: ${told}`, "To do it, add --yes");
  const answer = await askLine(`${consequences.map((line) => `- ${line}\n`).join("")}Go on? [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw refused("nobody agreed; nothing was changed", "");
}
