import { Failure } from "../../core/errors";
import type { ServerWish } from "../../core/facets";
import { unfitSettings } from "../../core/unfit-settings";

/** Throws before anything is recorded: a server refuses to start with a setting that it doesn't know. */
export function refuseUnfitSettings(
  name: string,
  wish: Pick<ServerWish, "settings" | "plan" | "version">,
): void {
  const problems = unfitSettings(wish);
  if (problems.length === 0) return;
  throw new Failure({
    code: "unfit-settings",
    operation: "change the settings of",
    subject: name,
    cause: problems.map((problem) => `${problem.name}: ${problem.reason}`).join("; "),
    hint: "Leave them out, or choose another plan or version",
  });
}
