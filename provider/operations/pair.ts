import { Failure } from "../core/errors";
import type { AddonRecord } from "../core/facets";
import { followed } from "../core/followed";
import type { Platform } from "../platforms/contract";
import { isOfProgram } from "./declared-replication";

/** Who was told to follow whom, whoever of the two leads now. */
export interface Pair {
  readonly follower: string;
  readonly declared: string;
  /** Whether a RedisFollower says so, or a person did. */
  readonly isOfProgram: boolean;
}

/** The pair that an add-on is one of; a Failure (`not-a-follower`, `leader-not-ours`) where it is of none. */
export async function pairOf(platform: Platform, name: string): Promise<Pair> {
  const record = await platform.load(name);
  const pair = record && (await declaredPair(platform, record));
  if (pair !== undefined) return pair;
  const wish = record?.replication?.wish;
  throw new Failure({
    code: wish === undefined ? "not-a-follower" : "leader-not-ours",
    operation: "switch over",
    subject: name,
    cause:
      wish?.kind === "external"
        ? `its leader ${wish.host}:${wish.port} is no add-on of this data home, so nobody here can make it follow`
        : "it follows nobody: no RedisFollower says whom",
    hint:
      wish === undefined
        ? "Name the follower of a pair: redis-addon list"
        : `Make it a leader instead: redis-addon follower promote ${name}`,
  });
}

async function declaredPair(platform: Platform, record: AddonRecord): Promise<Pair | undefined> {
  const { name, replication } = record;
  if (replication?.wish.kind === "addon")
    return { follower: name, declared: replication.wish.addon, isOfProgram: isOfProgram(replication) };
  // The leader that was declared, which follows since a switchover.
  const target = replication === undefined ? followed(record) : undefined;
  if (target?.kind !== "addon") return undefined;
  const theirs = (await platform.load(target.addon))?.replication;
  return {
    follower: target.addon,
    declared: name,
    isOfProgram: theirs !== undefined && isOfProgram(theirs),
  };
}
