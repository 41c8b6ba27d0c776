import { z } from "zod";
import type { ReplicationWish } from "../../core/facets";
import { addonReference } from "../choices";
import { PlatformInput } from "../recorded";

const portError = "write a whole number from 1 to 65535";

const LEADER = "the leader, or give { host, port, password }";

/** A Redis that no RedisAddon declares, or one on another platform. */
const ExternalLeader = z.strictObject({
  host: z.string({ error: "name the leader's host" }).min(1, { error: "name the leader's host" }),
  port: z
    .number({ error: portError })
    .int({ error: portError })
    .min(1, { error: portError })
    .max(65_535, { error: portError }),
  username: z.string({ error: "write a text, or leave it out" }).optional(),
  password: z.string({ error: "give the leader's password" }),
});

export type LeaderInput = string | z.infer<typeof ExternalLeader>;

/** Not a union: its failure says that neither form fits, and a person wants to know what is wrong with theirs. */
const LeaderInput = z.unknown().transform((leader, context): LeaderInput => {
  const isAddress = typeof leader === "object" && leader !== null;
  const result = isAddress ? ExternalLeader.safeParse(leader) : addonReference(LEADER).safeParse(leader);
  if (result.success) return result.data;
  for (const { path, message } of result.error.issues)
    context.addIssue({ code: "custom", path: [...path], message });
  return z.NEVER;
});

export const redisFollowerShape = {
  addon: addonReference("the add-on that is to follow"),
  leader: LeaderInput,
  platform: PlatformInput,
};

const RedisFollowerInputs = z.object(redisFollowerShape);
export type RedisFollowerInputs = z.infer<typeof RedisFollowerInputs>;

export function replicationWish(leader: LeaderInput): ReplicationWish {
  return typeof leader === "string"
    ? { kind: "addon", addon: leader }
    : { kind: "external", ...withoutAbsent(leader) };
}

export function leaderInput(wish: ReplicationWish): LeaderInput {
  if (wish.kind === "addon") return wish.addon;
  const { kind: _, ...leader } = wish;
  return leader;
}

/** exactOptionalPropertyTypes: a schema's optional field may be there and undefined. */
function withoutAbsent({ username, ...rest }: Exclude<LeaderInput, string>) {
  return username === undefined ? rest : { ...rest, username };
}
