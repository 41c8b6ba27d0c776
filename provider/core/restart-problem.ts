import type { AddonRecord } from "./facets";

/** Why a server may not be restarted by somebody's word now; absent: it may. */
export function restartProblem({
  name,
  removing,
  restoring,
}: AddonRecord): { readonly code: string; readonly cause: string; readonly hint: string } | undefined {
  if (removing !== undefined)
    return {
      code: "removing",
      cause: "it is being removed",
      hint: `Where that was cut off, complete it: redis-addon delete ${name}`,
    };
  if (restoring !== undefined)
    return {
      code: "restoring",
      cause: `backup ${restoring.backup} is being restored into it, which starts its server anew`,
      hint: `See how far that is: redis-addon info ${name}`,
    };
  return undefined;
}
