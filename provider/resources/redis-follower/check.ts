import { isDeepStrictEqual } from "node:util";
import type { CheckAnswer, CheckCall } from "../../pulumi/definition";
import type { CheckFailure } from "../../pulumi/validate";
import { missingAddon } from "../findings";
import type { Operations } from "../operations";
import { replicationWish, type RedisFollowerInputs } from "./inputs";
import { leaderOutputs } from "./outputs";

/** What a preview can know and find out, before anything is touched. */
export async function checkRedisFollower(
  operations: Operations,
  { inputs, olds }: CheckCall<RedisFollowerInputs>,
): Promise<CheckAnswer> {
  const { addon, leader, promote = false, switchedOver = false } = inputs;
  const fill = { role: promote || switchedOver ? "leader" : "follower" };
  if (inputs.platform === undefined) return { fill, failures: [] };
  const platform = await operations.openPlatform(inputs.platform);
  const failures: (CheckFailure | undefined)[] = [];
  // One that was there at the last update may be about to be made again: only what is new must be there already.
  if (addon !== undefined && addon !== olds["addon"])
    failures.push(await missingAddon(platform, "addon", addon));
  if (typeof leader === "string" && !isDeepStrictEqual(leader, olds["leader"]))
    failures.push(await missingAddon(platform, "leader", leader));
  if (addon !== undefined && addon === leader)
    failures.push({ property: "", reason: `\`leader\`: ${addon} can't follow itself: name another add-on` });
  const wish = replicationWish(inputs);
  const where = wish === undefined ? {} : await leaderOutputs(platform, wish);
  return { fill: { ...fill, ...where }, failures: failures.filter((failure) => failure !== undefined) };
}
