import type { AddonRecord } from "../../core/facets";
import type { Platform } from "../../platforms/contract";
import type { ResourceDefinition } from "../../pulumi/definition";
import { createClaim, instanceStanding, updateClaim } from "../claims";
import { diffFacet } from "../facet-diff";
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

    async create({ inputs, hidden, token, task, deadlineMs }) {
      const { addon, leader } = inputs;
      const platform = await operations.openPlatform(inputs.platform);
      const claim = createClaim(token, hidden, addon);
      const record = await operations.follow(
        platform,
        {
          name: addon,
          claim,
          leader: replicationWish(leader),
          given: hidden.given,
          deadlineMs: deadlineMs * WAIT_SHARE,
        },
        task,
      );
      const rest = { platform: inputs.platform, token, phase: "ready", given: hidden.given } as const;
      return { id: addon, state: await followerState(platform, following(record), rest) };
    },

    async update({ id, inputs, hidden, state, token, task, deadlineMs }) {
      const platform = await operations.openPlatform(inputs.platform);
      await requireHome(platform, state, { operation: "change", subject: id });
      const recorded = (await platform.load(id))?.replication;
      const tokens = { carried: state.__instance, fresh: token };
      const claim = updateClaim(recorded?.instance, tokens, hidden, id);
      const leader = replicationWish(inputs.leader);
      const record = await operations.follow(
        platform,
        { name: id, claim, leader, given: hidden.given, deadlineMs: deadlineMs * WAIT_SHARE },
        task,
      );
      const rest = {
        platform: inputs.platform,
        token: claim.token,
        phase: "ready",
        given: hidden.given,
      } as const;
      return followerState(platform, following(record), rest);
    },

    async leftBehind({ inputs, hidden, token, state }) {
      const platform = await operations.openPlatform(inputs.platform);
      const record = await platform.load(inputs.addon);
      if (record?.replication === undefined) return undefined;
      const held = record.replication.instance.token === token ? token : state?.__instance;
      if (held === undefined) return undefined;
      const rest = {
        platform: inputs.platform,
        token: held,
        phase: "provisioning",
        given: hidden.given,
      } as const;
      return { id: record.name, state: await followerState(platform, following(record), rest) };
    },

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
