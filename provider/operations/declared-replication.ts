import { Failure } from "../core/errors";
import type { AddonRecord } from "../core/facets";
import { followed } from "../core/followed";

type Replication = NonNullable<AddonRecord["replication"]>;

/**
 * Whether a RedisFollower says whom an add-on follows. Else a person has told it so: that one's token is in no state,
 * and a RedisFollower that is declared later takes it over.
 */
export function isOfProgram({ instance }: Pick<Replication, "instance">): boolean {
  return instance.token !== "";
}

/** Whom an add-on was told to follow, where it can be made a leader on its own; else a Failure that says why not. */
export function declaredReplication(name: string, record: AddonRecord | undefined): Replication {
  const replication = record?.replication;
  if (replication !== undefined && replication.wish.position !== "switched-over") return replication;
  const target = record && followed(record);
  const isSwitched = replication !== undefined || target?.kind === "addon";
  const pair = replication === undefined && target?.kind === "addon" ? target.addon : name;
  throw new Failure({
    code: isSwitched ? "switched-over" : "not-a-follower",
    operation: "promote",
    subject: name,
    cause: isSwitched
      ? `its role was exchanged with that of ${pair === name ? "its leader" : pair}, and the two stay a pair`
      : "it follows nobody: no RedisFollower says whom",
    hint: isSwitched
      ? `Exchange the roles back first: redis-addon follower switchover ${pair} --back; or remove the RedisFollower, which leaves two leaders`
      : "See who follows whom: redis-addon list",
  });
}
