import { isDeepStrictEqual } from "node:util";
import type { AddonRecord, ReplicationWish } from "../../core/facets";
import { authority } from "../../core/uri";
import type { DiffAnswer, DiffCall } from "../../pulumi/definition";
import type { Platform } from "../../platforms/contract";
import { diffFacet } from "../facet-diff";
import type { Operations } from "../operations";
import { replicationWish, type RedisFollowerInputs } from "./inputs";
import type { RedisFollowerState } from "./outputs";

type Call = DiffCall<RedisFollowerInputs, RedisFollowerState>;

/** Compares with what is recorded here, and says in the preview what an update will do to who leads and who follows. */
export async function diffRedisFollower(operations: Operations, call: Call): Promise<DiffAnswer> {
  const facet = {
    of: (record: AddonRecord) => record.replication,
    wanted: (inputs: Partial<RedisFollowerInputs>) => replicationWish(inputs),
  };
  const answer = await diffFacet(operations, facet, call);
  if (answer.replaces.length > 0) return answer;
  const { inputs, state, row } = call;
  const platform = await operations.openPlatform(inputs.platform ?? state.platform);
  const record = await platform.load(state.addon);
  const recorded = record?.replication;
  const wanted = replicationWish(inputs);
  if (recorded !== undefined && wanted !== undefined)
    for (const words of changeWords(state.addon, recorded.wish, wanted)) await row.info(words);
  const halted = recorded?.halted;
  if (halted !== undefined)
    await row.warning(
      `it follows nobody since ${halted.since}: ${halted.why}. An update tries again; its data are kept until a snapshot is loaded`,
    );
  const renewed = await hasAnotherLeader(platform, record);
  return { ...answer, changes: answer.changes || halted !== undefined || renewed };
}

/** What an update changes about who leads and who follows, each a sentence. */
function changeWords(addon: string, from: ReplicationWish, to: ReplicationWish): string[] {
  if (from.position === to.position) {
    if (to.position !== undefined) return [];
    return leaderOf(from) === leaderOf(to)
      ? otherCredentials(addon, from, to)
      : [`${addon} will follow ${leaderOf(to)} instead of ${leaderOf(from)}`];
  }
  // It leads already, and nothing is exchanged: the old leader is what changes.
  if (from.position === "switched-over" && to.position === "promoted")
    return [
      `${addon} stays a leader, and ${leaderOf(from)} follows it no longer: it leads as well, with its data`,
    ];
  return [
    ...(from.position === "switched-over"
      ? [`${leaderOf(from)} and ${addon} will exchange their roles: ${leaderOf(from)} leads again`]
      : []),
    ...(to.position === "switched-over"
      ? [
          `${leaderOf(to)} and ${addon} will exchange their roles: ${addon} leads, ${leaderOf(to)} follows it; ` +
            "writes stand still for a moment, and none that was acknowledged is lost",
        ]
      : []),
    ...(to.position === "promoted"
      ? [`${addon} will be a leader, with all that it received; ${leaderOf(to)} is not touched`]
      : []),
    ...(from.position === "promoted" && to.position === undefined
      ? [`${addon} will follow ${leaderOf(to)} again, with its data instead of those that it has since`]
      : []),
  ];
}

/** The engine shows nothing of a leader given by its address, which holds a password. */
function otherCredentials(addon: string, from: ReplicationWish, to: ReplicationWish): string[] {
  if (from.kind !== "external" || to.kind !== "external") return [];
  const what = [
    ...(from.username === to.username ? [] : ["another user name"]),
    ...(from.password === to.password ? [] : ["another password"]),
    ...(isDeepStrictEqual(from.tls, to.tls) ? [] : ["other TLS settings"]),
  ];
  return what.length === 0 ? [] : [`${addon} will follow ${leaderOf(to)} with ${what.join(" and ")}`];
}

function leaderOf(wish: ReplicationWish): string {
  return wish.kind === "addon" ? wish.addon : authority(wish.host, wish.port);
}

/** Whether the add-on that it follows was made anew since: to the record it is another leader, and followed no more. */
async function hasAnotherLeader(platform: Platform, record: AddonRecord | undefined): Promise<boolean> {
  const wish = record?.replication?.wish;
  if (wish?.kind !== "addon") return false;
  const leader = await platform.load(wish.addon);
  return leader !== undefined && leader.createdAt !== record?.replication?.leaderCreatedAt;
}
