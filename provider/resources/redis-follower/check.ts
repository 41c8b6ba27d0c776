import { isDeepStrictEqual } from "node:util";
import type { CheckAnswer, CheckCall } from "../../pulumi/definition";
import type { CheckFailure } from "../../pulumi/validate";
import { missingAddon } from "../findings";
import type { Operations } from "../operations";
import { replicationWish, type RedisFollowerInputs } from "./inputs";
import { leaderOutputs } from "./outputs";
import { previewedFailures } from "./preview";
import { refusedInputs } from "./refused-inputs";

/** What a preview can know and find out, before anything is touched. */
export async function checkRedisFollower(
  operations: Operations,
  { inputs, olds, unknown, row }: CheckCall<RedisFollowerInputs>,
): Promise<CheckAnswer> {
  const { addon, leader, promote = false, switchedOver = false } = inputs;
  const fill = { role: promote || switchedOver ? "leader" : "follower" };
  const refused = refusedInputs(inputs);
  if (inputs.platform === undefined) return { fill, failures: refused };
  const platform = await operations.openPlatform(inputs.platform);
  const missing: (CheckFailure | undefined)[] = [];
  // One that was there at the last update may be about to be made again: only what is new must be there already.
  if (addon !== undefined && addon !== olds["addon"])
    missing.push(await missingAddon(platform, "addon", addon));
  if (typeof leader === "string" && !isDeepStrictEqual(leader, olds["leader"]))
    missing.push(await missingAddon(platform, "leader", leader));
  const failures = [...refused, ...missing.filter((failure) => failure !== undefined)];
  // What is wrong with the program itself comes first; servers are asked about the rest.
  if (failures.length === 0)
    failures.push(...(await previewedFailures(operations, platform, { inputs, olds, unknown, row })));
  const wish = replicationWish(inputs);
  const where = wish === undefined ? {} : await leaderOutputs(platform, wish);
  return { fill: { ...fill, ...where }, failures };
}
