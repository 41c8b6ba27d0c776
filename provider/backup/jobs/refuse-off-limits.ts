import { realpath } from "node:fs/promises";
import { destinationProblem } from "../../core/destination";
import { Failure } from "../../core/errors";

/** Here and not in whoever starts jobs: looking at a folder on a dead network share hangs for ever. */
export async function refuseOffLimits(
  {
    addon,
    destination,
    offLimits = [],
  }: {
    readonly addon: { readonly name: string };
    readonly destination: string;
    readonly offLimits?: readonly string[] | undefined;
  },
  operation: string,
): Promise<void> {
  const problem = await destinationProblem(destination, offLimits, (path) => realpath(path));
  if (problem !== undefined)
    throw new Failure({ code: "destination-off-limits", operation, subject: addon.name, ...problem });
}
