import type { AddonRecord } from "../../provider/core/facets";
import * as operation from "../../provider/operations/provision";

/** The operation, for those who want the record alone. */
export async function provision(...request: Parameters<typeof operation.provision>): Promise<AddonRecord> {
  return (await operation.provision(...request)).record;
}
