import { Failure } from "../../../core/errors";
import type { AddonRecord } from "../../../core/facets";
import { claimsRoleOf, isExchanged } from "../../../core/hand-over";
import type { SwitchOver } from "../../../platforms/contract";
import type { HomeLayout } from "../../../platforms/local/home";
import { readRecord } from "../../../platforms/local/records";
import { isTrusted } from "../lineage/data-mark";
import { readDataMark } from "../../../platforms/local/data-mark";

/** A leader and its follower, both of this data home, as the follower's RedisFollower declared them. */
export interface Pair {
  readonly leader: AddonRecord;
  readonly follower: AddonRecord;
}

/**
 * The names of the pair that an add-on is one of: the declared follower, and its leader. The leader's own name will do
 * once roles are exchanged. Absent: there is no such add-on.
 */
export async function pairNames(
  layout: HomeLayout,
  name: string,
): Promise<Record<keyof Pair, string> | undefined> {
  const record = await readRecord(layout, name);
  if (record === undefined) return undefined;
  if (record.demoted !== undefined) return { leader: name, follower: record.demoted.to };
  const wish = record.replication?.wish;
  if (wish?.kind === "addon") return { leader: wish.addon, follower: name };
  const cause =
    wish === undefined
      ? "it follows nobody"
      : `its leader ${wish.host}:${wish.port} is none of this data home's`;
  throw refusal(name, "not-a-pair", cause, "Only two add-ons of one data home can exchange their roles");
}

export async function readPair(layout: HomeLayout, names: Record<keyof Pair, string>): Promise<Pair> {
  const [leader, follower] = await Promise.all([
    readRecord(layout, names.leader),
    readRecord(layout, names.follower),
  ]);
  const gone = leader === undefined ? names.leader : names.follower;
  if (leader === undefined || follower === undefined)
    throw refusal(
      names.follower,
      "not-a-pair",
      `there is no add-on ${gone} any more`,
      "See: redis-addon list",
    );
  return { leader, follower };
}

/** What the records say against the exchange; whether servers are fit for it is asked of them. */
export async function refuseUnfitPair(
  layout: HomeLayout,
  { leader, follower }: Pair,
  to: SwitchOver["to"],
): Promise<void> {
  const { name } = follower;
  for (const record of [leader, follower]) {
    if (record.removing !== undefined)
      throw refusal(name, "being-removed", `${record.name} is being removed`, "");
    if (!isTrusted(await readDataMark(layout.addon(record.name))))
      throw refusal(
        name,
        "distrusted",
        `the data of ${record.name} are not known to be those that it had`,
        `Read its status first: redis-addon info ${record.name}`,
      );
  }
  if (to === "declared") return;
  if (leader.demoted !== undefined)
    throw refusal(
      name,
      "exchanged-already",
      `${leader.name} has exchanged its role with ${leader.demoted.to}`,
      `Exchange them back first: switchedOver: false on the RedisFollower of ${leader.demoted.to}`,
    );
  if (claimsRoleOf(follower, leader.name))
    throw refusal(
      name,
      "not-a-pair",
      `${name} and ${leader.name} lead independently of each other`,
      `Set switchedOver to false first, with replaceData to give up what ${name} has`,
    );
  if (follower.replication?.wish.position === "promoted")
    throw refusal(name, "not-a-pair", `${name} was promoted and leads`, "Have it follow first");
  if (leader.createdAt !== follower.replication?.leaderCreatedAt)
    throw refusal(
      name,
      "not-a-pair",
      `${leader.name} was made anew since ${name} followed it`,
      "Run an update first",
    );
  const { halted } = follower.replication;
  if (halted !== undefined)
    throw refusal(name, "not-in-sync", `${name} follows nobody: ${halted.why}`, "Repair that first");
}

/** Whether the two have exchanged their roles. */
export function isSwitched({ leader, follower }: Pair): boolean {
  return isExchanged(leader, follower) && claimsRoleOf(follower, leader.name);
}

function refusal(name: string, code: string, cause: string, hint: string): Failure {
  return new Failure({ code, operation: "switch over", subject: name, cause, hint });
}
