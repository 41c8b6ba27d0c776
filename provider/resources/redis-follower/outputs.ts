import { z } from "zod";
import type { AddonRecord, ReplicationWish } from "../../core/facets";
import { followed } from "../../core/followed";
import { reachableHost } from "../../core/settings";
import type { Platform } from "../../platforms/contract";
import { homeOf } from "../home-guard";
import type { RecordedRest } from "../facet-lifecycle";
import { recordedShape } from "../recorded";
import { wishedInputs } from "./inputs";

const LeaderOutput = z.union([
  z.string(),
  z.looseObject({
    host: z.string(),
    port: z.number(),
    username: z.string().optional(),
    password: z.string(),
  }),
]);

/** What a RedisFollower records. Loose: a newer version's additions pass through older code. */
export const RedisFollowerState = z.looseObject({
  ...recordedShape,
  addon: z.string(),
  leader: LeaderOutput,
  replaceData: z.boolean().default(false),
  promote: z.boolean().default(false),
  switchedOver: z.boolean().default(false),
  role: z.enum(["follower", "leader"]),
  leaderHost: z.string().optional(),
  leaderPort: z.number().optional(),
  replicationId: z.string().optional(),
});
export type RedisFollowerState = z.infer<typeof RedisFollowerState>;

/** Where the leader is, as recorded; its lag and the like would change exported outputs at each refresh. */
export async function leaderOutputs(
  platform: Platform,
  wish: ReplicationWish,
): Promise<{ leaderHost?: string; leaderPort?: number }> {
  if (wish.kind === "external") return { leaderHost: wish.host, leaderPort: wish.port };
  const leader = await platform.load(wish.addon);
  if (leader === undefined) return {};
  const { bind, port } = leader.server.wish;
  return { leaderHost: reachableHost(bind), leaderPort: port };
}

export async function followerState(
  platform: Platform,
  record: AddonRecord & { readonly replication: NonNullable<AddonRecord["replication"]> },
  rest: RecordedRest & { readonly replicationId: string | undefined; readonly replaceData: boolean },
): Promise<RedisFollowerState> {
  const { wish } = record.replication;
  const home = await homeOf(platform, record.name);
  return {
    addon: record.name,
    ...wishedInputs(wish),
    replaceData: rest.replaceData,
    role: followed(record) === undefined ? "leader" : "follower",
    ...(await leaderOutputs(platform, wish)),
    ...(rest.replicationId === undefined ? {} : { replicationId: rest.replicationId }),
    platform: rest.platform,
    __instance: rest.token,
    __home: home,
    __phase: rest.phase,
    __given: [...rest.given],
  };
}
