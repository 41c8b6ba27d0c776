import { Failure } from "../core/errors";
import { memoryText } from "../core/memory-size";
import { canFollow, versionFromInfo } from "../core/version";
import { numberIn, type Info } from "./info";
import { standingIn } from "./failover";
import { classifySync, syncWords } from "./sync-status";

export interface PairSeen {
  /** The one that is to give its role away. */
  readonly giver: PairServer;
  /** The one that is to have it. */
  readonly receiver: PairServer;
}

interface PairServer {
  readonly name: string;
  readonly info: Info;
  /** As configured. */
  readonly databases: number;
}

/** Why two servers can't exchange their roles now, so that neither loses anything; absent: they can. */
export function switchOverProblem({ giver, receiver }: PairSeen): Failure | undefined {
  const subject = `${giver.name} to ${receiver.name}`;
  const refuse = (code: string, cause: string, hint: string, transient = false) =>
    new Failure({ code, operation: "switch over from", subject, cause, hint, transient });

  const standing = standingIn(giver.info);
  if (standing === "follows")
    return refuse(
      "leader-follows",
      `${giver.name} follows a leader itself`,
      "Only who leads can give its role away: promote it first",
    );
  if (standing === "failing-over")
    return refuse("failing-over", `${giver.name} is giving its role to another one`, "Try again", true);

  const [from, to] = [versionFromInfo(receiver.info), versionFromInfo(giver.info)];
  if (from !== undefined && to !== undefined && !canFollow(from, to))
    return refuse(
      "snapshot-format",
      `afterwards ${giver.name} would follow ${receiver.name}, and a server of version ${to.spelling} can't load the snapshot of one of version ${from.spelling}`,
      `Give ${giver.name} the version ${from.spelling} first`,
    );
  // It drops SELECT where it fails, so that a write to a database which it lacks would overwrite a key of another.
  if (giver.databases < receiver.databases)
    return refuse(
      "too-few-databases",
      `afterwards ${giver.name} would follow ${receiver.name}, which has ${receiver.databases} databases, and has only ${giver.databases}`,
      `Give ${giver.name} a plan with as many`,
    );
  const [limit, used] = [
    numberIn(receiver.info, "maxmemory") ?? 0,
    numberIn(giver.info, "used_memory_dataset") ?? 0,
  ];
  // A follower takes more than its plan has, and a leader evicts it.
  if (limit > 0 && used > limit)
    return refuse(
      "too-little-memory",
      `the data take ${memoryText(used)} and the plan of ${receiver.name} has ${memoryText(limit)}`,
      `Give ${receiver.name} a larger plan first`,
    );

  const sync = classifySync({ follower: receiver.info, leader: giver.info });
  if (sync.state === "synced" && sync.durable) return undefined;
  const behind = sync.lagBytes === undefined ? "" : `, ${sync.lagBytes} bytes behind`;
  return refuse(
    "not-in-sync",
    `${receiver.name} is not in sync with ${giver.name}: ${syncWords(sync)}${behind}`,
    "Wait until it is: redis-addon follower status shows how far it is",
    true,
  );
}
