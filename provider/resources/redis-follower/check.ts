import { isDeepStrictEqual } from "node:util";
import type { CheckAnswer, CheckCall } from "../../pulumi/definition";
import type { CheckFailure } from "../../pulumi/validate";
import type { Platform } from "../../platforms/contract";
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
  // One that has a RedisFollower already may be following by an exchange of roles with that one's own follower.
  if (addon !== undefined && olds["addon"] === undefined && !promote)
    missing.push(await exchangedRoles(platform, addon));
  const failures = [...refused, ...missing.filter((failure) => failure !== undefined)];
  // What is wrong with the program itself comes first; servers are asked about the rest.
  if (failures.length === 0)
    failures.push(...(await previewedFailures(operations, platform, { inputs, olds, unknown, row })));
  const wish = replicationWish(inputs);
  const where = wish === undefined ? {} : await leaderOutputs(platform, wish);
  return { fill: { ...fill, ...where }, failures };
}

/** A failure for an add-on that follows already because of a switchover, which its follower's resource owns. */
async function exchangedRoles(platform: Platform, addon: string): Promise<CheckFailure | undefined> {
  const demoted = (await platform.load(addon))?.demoted;
  if (demoted === undefined) return undefined;
  return {
    property: "addon",
    reason:
      `${addon} gave its role to ${demoted.to} by a switchover and follows it: the RedisFollower of ${demoted.to} ` +
      "says who leads of the two (`switchedOver`)",
  };
}
