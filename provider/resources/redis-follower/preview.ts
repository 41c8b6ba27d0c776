import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { heldWords, wouldLose } from "../../core/held-data";
import type { Platform } from "../../platforms/contract";
import type { CheckCall } from "../../pulumi/definition";
import type { CheckFailure } from "../../pulumi/validate";
import { isAboutToChange } from "../changing-addons";
import type { Operations } from "../operations";
import { redisFollowerShape, replicationWish, type RedisFollowerInputs } from "./inputs";
import { ofLeader } from "./refused-inputs";

/** What another plan or version of one of the two servers may put right. */
const OF_SERVERS = new Set(["too-few-databases", "too-little-memory", "snapshot-format"]);

const OldInputs = z.object(redisFollowerShape).partial();

type Call = Pick<CheckCall<RedisFollowerInputs>, "inputs" | "olds" | "unknown" | "row">;

/**
 * What an update would meet, found out by asking both servers. What may pass by itself is a warning: the leader may be
 * started by the very same program. Nobody is asked about a follower that hasn't changed.
 */
export async function previewedFailures(
  operations: Operations,
  platform: Platform,
  { inputs, olds, unknown, row }: Call,
): Promise<CheckFailure[]> {
  if (["promote", "switchedOver", "replaceData"].some((property) => unknown.has(property))) return [];
  const wish = replicationWish(inputs);
  if (wish === undefined || wish.position === "promoted" || !isChanged(inputs, olds)) return [];
  const { addon: name, leader, replaceData = false } = inputs;
  const changedFirst = [name, typeof leader === "string" ? leader : undefined].filter(isAboutToChange);
  const { findings, replaces } = await operations.previewFollow(platform, { name, wish });
  const failures: CheckFailure[] = [];
  for (const { code, severity, cause, hint, transient } of findings) {
    const reason = `${cause}. ${hint}`;
    if (OF_SERVERS.has(code) && changedFirst.length > 0)
      await row.warning(
        `${cause} at present: the update changes ${changedFirst.join(" and ")} first, and then checks this again`,
      );
    else if (severity === "refuse" && !transient) failures.push(ofLeader(reason));
    else await row.warning(`the leader: ${reason}`);
  }
  if (replaces === undefined || name === undefined) return failures;
  const { held, follows } = replaces;
  if (replaceData) {
    await row.warning(
      `${heldWords(held)} of ${name} will be replaced by those of the leader; a verified backup of them is taken first`,
    );
    return failures;
  }
  const { cause, hint } = wouldLose(name, held, follows);
  return [...failures, { property: "replaceData", reason: `${cause}. ${hint}` }];
}

/** Whether another follower, another leader, other credentials for it, another position or permission is asked for. */
function isChanged(inputs: Partial<RedisFollowerInputs>, olds: Call["olds"]): boolean {
  const before = OldInputs.safeParse(olds);
  if (!before.success || before.data.addon === undefined) return true;
  const about = (of: Partial<RedisFollowerInputs>) => [
    of.addon,
    of.replaceData ?? false,
    replicationWish(of),
  ];
  return !isDeepStrictEqual(about(inputs), about(before.data as Partial<RedisFollowerInputs>));
}
