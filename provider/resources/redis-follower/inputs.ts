import { z } from "zod";
import type { ReplicationWish } from "../../core/facets";
import type { LeaderAddress } from "../../core/render";
import { addonReference } from "../choices";
import { PlatformInput } from "../recorded";

const portError = "write a whole number from 1 to 65535";

const LEADER = "the leader, or give { host, port, password }";

const text = () => z.string({ error: "write a text, or leave it out" });
const yesOrNo = () => z.boolean({ error: "write true or false" });

const LeaderTls = z.strictObject({
  ca: text().optional(),
  serverName: text().optional(),
  certificate: text().optional(),
  key: text().optional(),
});

/** A Redis that no RedisAddon declares, or one on another platform. */
const ExternalLeader = z.strictObject({
  host: z.string({ error: "name the leader's host" }).min(1, { error: "name the leader's host" }),
  port: z
    .number({ error: portError })
    .int({ error: portError })
    .min(1, { error: portError })
    .max(65_535, { error: portError }),
  username: text().optional(),
  password: z.string({ error: "give the leader's password" }),
  tls: z
    .union([z.boolean(), LeaderTls], { error: "write true, or { ca, serverName, certificate, key } in PEM" })
    .optional(),
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
  replaceData: yesOrNo().default(false),
  promote: yesOrNo().default(false),
  switchedOver: yesOrNo().default(false),
  platform: PlatformInput,
};

const RedisFollowerInputs = z.object(redisFollowerShape);
export type RedisFollowerInputs = z.infer<typeof RedisFollowerInputs>;

/** What the program asks for; absent where its leader isn't known yet. */
export function replicationWish({
  leader,
  promote,
  switchedOver,
}: Partial<Pick<RedisFollowerInputs, "leader" | "promote" | "switchedOver">>): ReplicationWish | undefined {
  if (leader === undefined) return undefined;
  if (typeof leader !== "string")
    return { ...externalLeader(leader), ...(promote ? { position: "promoted" } : {}) };
  const position = promote ? "promoted" : switchedOver ? "switched-over" : undefined;
  return { kind: "addon", addon: leader, ...(position === undefined ? {} : { position }) };
}

/** The inputs that a recorded wish came from. */
export function wishedInputs(
  wish: ReplicationWish,
): Pick<RedisFollowerInputs, "leader" | "promote" | "switchedOver"> {
  return {
    leader: leaderInput(wish),
    promote: wish.position === "promoted",
    switchedOver: wish.position === "switched-over",
  };
}

function leaderInput(wish: ReplicationWish): LeaderInput {
  if (wish.kind === "addon") return wish.addon;
  const { kind: _, position: __, ...leader } = wish;
  return leader;
}

function externalLeader({ username, tls, ...rest }: Exclude<LeaderInput, string>) {
  return {
    kind: "external",
    ...rest,
    ...(username === undefined ? {} : { username }),
    ...(tls === undefined || tls === false ? {} : { tls: tls === true ? {} : given(tls) }),
  } as const;
}

/** exactOptionalPropertyTypes: a schema's optional field may be there and undefined. */
function given(tls: z.infer<typeof LeaderTls>): NonNullable<LeaderAddress["tls"]> {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
}
