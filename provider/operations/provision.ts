import type { AddonRecord } from "../core/facets";
import type { Task } from "../core/task";
import type { Claim, Platform, ServerRequest } from "../platforms/contract";
import { recordOf } from "./applied";

export interface ProvisionRequest {
  readonly name: string;
  readonly claim: Claim;
  readonly wish: ServerRequest;
  /** Which inputs the program set. */
  readonly given: readonly string[];
}

/**
 * Makes the add-on run as wished: created, adopted (same name, same project) or changed.
 *
 * Fails with `stale-instance` where the claim's token has been replaced, with `foreign-owner` where another project
 * made the add-on of that name.
 */
export async function provision(
  platform: Platform,
  request: ProvisionRequest,
  task: Task,
): Promise<AddonRecord> {
  task.progress({ message: "placing the server" });
  return recordOf(await platform.apply({ facet: "server", ...request }, task), "change", request.name);
}
