import type { AddonRecord } from "../../core/facets";
import type { Platform } from "../../platforms/contract";
import type { ResourceDefinition } from "../../pulumi/definition";
import { instanceStanding } from "../claims";
import { diffFacet } from "../facet-diff";
import { facetLifecycle } from "../facet-lifecycle";
import { requireHome } from "../home-guard";
import type { Operations } from "../operations";
import { PlatformInput } from "../recorded";
import { checkRedisFollower } from "./check";
import { redisFollowerShape, replicationWish } from "./inputs";
import { followerState, RedisFollowerState } from "./outputs";

export type RedisFollowerDefinition = ResourceDefinition<typeof redisFollowerShape, RedisFollowerState>;

/** Of the whole call's time: the rest lets the wait end with its own, better reason. */
const WAIT_SHARE = 0.95;

export function redisFollowerDefinition(operations: Operations): RedisFollowerDefinition {
  return {
    noun: "Redis follower",
    shape: redisFollowerShape,
    state: RedisFollowerState,
    computed: ["role", "leaderHost", "leaderPort"],
    // The leader holds a password, and a named property's value is printed.
    nameable: ["addon"],
    secrets: ["leader.password"],
    subject: ({ addon }) => (typeof addon === "string" ? addon : undefined),

    check: (call) => checkRedisFollower(operations, call),
    async diff(call) {
      const answer = await diffFacet(
        operations,
        {
          of: (record) => record.replication,
          wanted: ({ leader }) => (leader === undefined ? undefined : replicationWish(leader)),
        },
        call,
      );
      if (answer.changes) return answer;
      const platform = await operations.openPlatform(call.inputs.platform ?? call.state.platform);
      return { ...answer, changes: await hasAnotherLeader(platform, await platform.load(call.state.addon)) };
    },

    ...facetLifecycle<typeof redisFollowerShape, RedisFollowerState>(operations, {
      instanceOf: (record) => record.replication?.instance,
      apply: (platform, { name, claim, given, inputs, deadlineMs }, task) =>
        operations.follow(
          platform,
          { name, claim, given, leader: replicationWish(inputs.leader), deadlineMs: deadlineMs * WAIT_SHARE },
          task,
        ),
      stateOf: (platform, record, rest) => followerState(platform, following(record), rest),
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
      const found = await followerState(platform, following(record), rest);
      const { addon, leader, role, leaderHost, leaderPort } = found;
      return { id, state: found, inputs: { addon, leader, role, leaderHost, leaderPort, platform: choice } };
    },

    async delete({ id, state, row, task }) {
      const platform = await operations.openPlatform(state.platform);
      await requireHome(platform, state, { operation: "promote", subject: id });
      const outcome = await operations.promote(platform, { name: id, token: state.__instance }, task);
      if (outcome === "promoted") await row.info(`${id} is a leader now, with the data that it had`);
      if (outcome === "stale")
        await row.info(`${id} was taken over by a newer resource of the same name: nothing was changed`);
    },
  };
}

/** Whether the add-on that it follows was made anew since: to the record it is another leader, and followed no more. */
async function hasAnotherLeader(platform: Platform, record: AddonRecord | undefined): Promise<boolean> {
  const wish = record?.replication?.wish;
  if (wish?.kind !== "addon") return false;
  const leader = await platform.load(wish.addon);
  return leader !== undefined && leader.createdAt !== record?.replication?.leaderCreatedAt;
}

type Following = AddonRecord & { readonly replication: NonNullable<AddonRecord["replication"]> };

function following(record: AddonRecord): Following {
  if (record.replication === undefined) throw new Error(`the record of ${record.name} lost whom it follows`);
  return { ...record, replication: record.replication };
}
