import { isDeepStrictEqual } from "node:util";
import type { AddonRecord } from "../../core/facets";
import { isRestored } from "../../core/restore-wish";
import type { RestoreWish } from "../../operations/restore";
import { originOf, type RestoreInput, RestoreInput as RestoreInputSchema, secretsOf } from "./restore-input";
import type { RedisAddonInputs } from "./inputs";
import type { RedisAddonState } from "./outputs";

/**
 * The restore that a program asks for and that was not made yet; absent: there is none. One wish restores once: what
 * the record says was done was done, though its update were cut off, and what the state says was done stays done, though
 * a person has restored another backup since.
 */
export function wantedRestore(
  { restoreFrom, replaceData = false }: Partial<RedisAddonInputs>,
  state: Pick<RedisAddonState, "restoreFrom"> | undefined,
  record: AddonRecord | undefined,
): RestoreWish | undefined {
  if (restoreFrom === undefined) return undefined;
  const from = originOf(restoreFrom);
  if (isRestored(record, from)) return undefined;
  // One that is gone is made again with the data that it is to begin with.
  const fulfilled = record === undefined ? undefined : fulfilledWish(state);
  if (fulfilled !== undefined && isDeepStrictEqual(originOf(fulfilled), from)) return undefined;
  return { from, secrets: secretsOf(restoreFrom), replaceData };
}

/** A newer version's wish, which this one can't read, is none of this program's. */
function fulfilledWish(state: Pick<RedisAddonState, "restoreFrom"> | undefined): RestoreInput | undefined {
  return RestoreInputSchema.safeParse(state?.restoreFrom).data;
}
