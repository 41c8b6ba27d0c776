import type { AddonRecord, ReplicationWish } from "../../core/facets";
import { promotedWords, replicatedWords } from "../../operations/replication-words";
import type { Platform } from "../../platforms/contract";
import type { ResourceDefinition } from "../../pulumi/definition";
import { instanceStanding } from "../claims";
import { facetLifecycle, type RecordedRest } from "../facet-lifecycle";
import { requireHome } from "../home-guard";
import type { Operations } from "../operations";
import { PlatformInput } from "../recorded";
import { checkRedisFollower } from "./check";
import { diffRedisFollower } from "./diff";
import { redisFollowerShape, replicationWish, type RedisFollowerInputs } from "./inputs";
import { followerState, RedisFollowerState } from "./outputs";

export type RedisFollowerDefinition = ResourceDefinition<typeof redisFollowerShape, RedisFollowerState>;

/** Of the whole call's time: the rest lets the wait end with its own, better reason. */
const WAIT_SHARE = 0.95;
/** For a look at a server that may not answer; a refresh may be followed by many others. */
const LOOK_LIMIT_MS = 5_000;

export function redisFollowerDefinition(operations: Operations): RedisFollowerDefinition {
  return {
    noun: "Redis follower",
    shape: redisFollowerShape,
    state: RedisFollowerState,
    computed: ["role", "leaderHost", "leaderPort", "replicationId"],
    // The leader holds a password, and a named property's value is printed.
    nameable: ["addon", "replaceData", "promote", "switchedOver"],
    secrets: ["leader.password", "leader.tls.key"],
    subject: ({ addon }) => (typeof addon === "string" ? addon : undefined),

    check: (call) => checkRedisFollower(operations, call),
    diff: (call) => diffRedisFollower(operations, call),

    ...facetLifecycle<typeof redisFollowerShape, RedisFollowerState>(operations, {
      instanceOf: (record) => record.replication?.instance,
      async apply(platform, { name, claim, given, inputs, deadlineMs: callMs, row }, task) {
        const { replaceData } = inputs;
        const deadlineMs = callMs * WAIT_SHARE;
        const request = { name, claim, given, wish: wishOf(inputs), replaceData, deadlineMs };
        const replicated = await operations.replicate(platform, request, task);
        for (const words of replicatedWords(name, replicated)) await row.info(words);
        return replicated.record;
      },
      stateOf: (platform, record, rest, { replaceData }) =>
        stateOf(platform, record, { ...rest, replaceData }),
    }),

    async read({ id, state, props, hidden }) {
      const choice = PlatformInput.parse(state?.platform ?? props["platform"]);
      const platform = await operations.openPlatform(choice);
      if (state !== undefined) await requireHome(platform, state, { operation: "read", subject: id });
      const record = await platform.load(id);
      if (record?.replication === undefined) return undefined;
      const token = state?.__instance ?? "";
      if (state !== undefined && instanceStanding(record.replication.instance, token) === "stale")
        return undefined;
      const rest = { platform: choice, token, phase: state?.__phase ?? "ready", given: hidden.given };
      const replaceData = state?.replaceData ?? false;
      const found = await stateOf(platform, record, { ...rest, replaceData }, state?.replicationId);
      const { addon, leader, promote, switchedOver, role, leaderHost, leaderPort } = found;
      const inputs = { addon, leader, replaceData, promote, switchedOver };
      // Not the replication id: no preview can know what it will be, and would show it as removed.
      const computed = { role, leaderHost, leaderPort };
      return { id, state: found, inputs: { ...inputs, ...computed, platform: choice } };
    },

    async delete({ id, state, row, task }) {
      const platform = await operations.openPlatform(state.platform);
      await requireHome(platform, state, { operation: "promote", subject: id });
      const answer = await operations.stopFollowing(platform, { name: id, token: state.__instance }, task);
      if (answer.outcome === "promoted") await row.info(promotedWords(id, answer.finalOffset));
      if (answer.outcome === "stale")
        await row.info(`${id} was taken over by a newer resource of the same name: nothing was changed`);
    },
  };

  /** `known`: the replication id where the server can't be asked. */
  async function stateOf(
    platform: Platform,
    record: AddonRecord,
    rest: RecordedRest & { readonly replaceData: boolean },
    known?: string,
  ): Promise<RedisFollowerState> {
    const found = await operations.replicationId(platform, record, {
      signal: AbortSignal.timeout(LOOK_LIMIT_MS),
    });
    return followerState(platform, following(record), { ...rest, replicationId: found ?? known });
  }
}

/** Every part of it is known once something is changed. */
function wishOf(inputs: RedisFollowerInputs): ReplicationWish {
  const wish = replicationWish(inputs);
  if (wish === undefined) throw new Error(`whom ${inputs.addon} follows is not known`);
  return wish;
}

type Following = AddonRecord & { readonly replication: NonNullable<AddonRecord["replication"]> };

function following(record: AddonRecord): Following {
  if (record.replication === undefined) throw new Error(`the record of ${record.name} lost whom it follows`);
  return { ...record, replication: record.replication };
}
