import { callerOf, claimed, refuseForeign } from "../../records/claims";
import type { AddonRecord } from "../../../core/facets";
import type { Task } from "../../../core/task";
import type { SwitchedOver, SwitchOver } from "../../../platforms/contract";
import { changeRecord } from "../../records/change-record";
import type { AgentService } from "../../service";
import { handOver } from "./hand-over";
import { isSwitched, pairNames, readPair, refuseUnfitPair } from "./pair";

/**
 * Exchanges the roles of a leader and its follower, or exchanges them back, under the right to change the follower's
 * replication facet. Once the hand-over has begun it ends, whoever has asked for it and gone.
 */
export async function switchOver(
  service: AgentService,
  request: SwitchOver,
  task: Task,
): Promise<SwitchedOver> {
  const names = await pairNames(service.layout, request.name);
  if (names === undefined) return { outcome: "absent" };
  const [first = "", second = ""] = [names.leader, names.follower].sort();
  return service.inQueue(first, () => service.inQueue(second, () => exchange(service, request, names, task)));
}

async function exchange(
  service: AgentService,
  request: SwitchOver,
  names: { readonly leader: string; readonly follower: string },
  task: Task,
): Promise<SwitchedOver> {
  const { layout, supervisor } = service;
  const { claim, to } = request;
  for (const name of [names.leader, names.follower]) await supervisor.handOvers.settled(name, task);
  const pair = await readPair(layout, names);
  refuseForeign(pair.follower, claim);
  const instance = claimed(pair.follower.replication?.instance, claim);
  if (instance === "stale") return { outcome: "stale" };
  const isDone = isSwitched(pair) === (to === "switched-over");
  if (!isDone) await refuseUnfitPair(layout, pair, to);

  const urn = callerOf(claim)?.urn;
  const { given } = request;
  await changeRecord(layout, names.follower, (present) => {
    if (present.replication === undefined) return present;
    const claimedNow = { instance, ...(urn === undefined ? {} : { urn }) };
    const replication = { ...present.replication, ...claimedNow, ...(given && { given: [...given] }) };
    return { ...present, replication };
  });
  const [giver, receiver] =
    to === "switched-over" ? [names.leader, names.follower] : [names.follower, names.leader];
  const measured = isDone
    ? undefined
    : await handOver(service, { giver, receiver, timeoutMs: request.timeoutMs }, task);
  // Also where an earlier call was cut off after the roles were recorded.
  if (isDone) for (const name of [receiver, giver]) await supervisor.place(name, task);

  const placed = await readPair(layout, names);
  const roles = isSwitched(placed)
    ? { leader: names.follower, follower: names.leader }
    : { leader: names.leader, follower: names.follower };
  return {
    outcome: "switched-over",
    record: recordNamed(placed, request.name),
    ...roles,
    ...(measured === undefined ? {} : { measured }),
  };
}

function recordNamed(
  { leader, follower }: { readonly leader: AddonRecord; readonly follower: AddonRecord },
  name: string,
): AddonRecord {
  return leader.name === name ? leader : follower;
}
