import * as pulumi from "@pulumi/pulumi";
import { declared } from "./declare";
import { deletedWith } from "./deleted-with";
import { platformInput, type LocalPlatform, type Platform } from "./platform";
import { RedisAddon } from "./redis-addon";
import { secretAt } from "./secret-at";

/** A Redis that no RedisAddon declares, or one on another machine. */
export interface ExternalLeader {
  /** Its host name or IP address, as seen from where the follower runs. */
  host: pulumi.Input<string>;
  /** Its TCP port. */
  port: pulumi.Input<number>;
  /**
   * The user to replicate as; it needs PSYNC, SYNC and REPLCONF there. It should have INFO too (`+info`): then a leader
   * that comes back with less than half of the keys that its follower has is not copied before somebody says so. Without
   * INFO it is followed as Redis does, and one that comes back empty empties its follower. Default: Redis's user `default`.
   */
  username?: pulumi.Input<string>;
  /** That user's password; empty where the leader wants none. Always kept as a secret. A new one doesn't cost the link. */
  password: pulumi.Input<string>;
  /**
   * TLS: `true`, with the system's certificates and `host` as the name that the leader's must have, or
   * {@link LeaderTls}. Default: a plain connection. It works with any server: the agent of the add-on speaks it on the
   * server's behalf, so the link needs a running agent; the data stay where the agent is away.
   */
  tls?: pulumi.Input<boolean | LeaderTls>;
}

/** How a leader is reached by TLS; everything in PEM. */
export interface LeaderTls {
  /** Certificates to trust instead of the system's. */
  ca?: string;
  /** The name that the leader's certificate must have. Default: its host. */
  serverName?: string;
  /** What the follower shows of itself, where the leader wants to see it. */
  certificate?: string;
  /** The key of `certificate`. Always kept as a secret. */
  key?: string;
}

export interface RedisFollowerArgs {
  /** The add-on that is to follow: a {@link RedisAddon} or its id. With keys of its own it wants `replaceData`. */
  addon: RedisAddon | pulumi.Input<string>;
  /** Whom it follows: a {@link RedisAddon} of the same data home, its id, or the address of any Redis. */
  leader: RedisAddon | pulumi.Input<string> | ExternalLeader;
  /**
   * Whether keys that the add-on has of its own, or from another leader, may be replaced by the leader's. They are backed
   * up first, verified, and the backup's id is shown. Default: false, and such a change is refused, in the preview too.
   */
  replaceData?: pulumi.Input<boolean>;
  /**
   * Makes the add-on a leader with all that it received, while this resource stays: for a cut-over that is a change of
   * the program. Nothing is replaced; the old leader is not touched. Taken back, the add-on follows again, which needs
   * `replaceData`: what it has counts as its own. Default: false.
   */
  promote?: pulumi.Input<boolean>;
  /**
   * Exchanges the roles of the two, where the leader is an add-on of the same data home: this add-on leads, the old
   * leader follows it, and no acknowledged write is lost. Setting it back exchanges them again. This resource then owns
   * the replication of both, and removing it leaves two leaders with their data. Default: false.
   */
  switchedOver?: pulumi.Input<boolean>;
  /** Where the add-on runs. Default: that of `addon` where it is a RedisAddon, else this machine. */
  platform?: pulumi.Input<LocalPlatform>;
}

/**
 * Makes an add-on follow a leader: a read-only copy that keeps up with it.
 *
 * It is ready only once the copy is in sync. Without it the add-on is a leader; deleting it promotes the add-on, which
 * keeps its data. A follower whose leader comes back without its data keeps its own.
 */
export class RedisFollower extends pulumi.CustomResource {
  /** The add-on that follows. */
  declare readonly addon: pulumi.Output<string>;
  /** Whom it follows: an add-on's id, or an address whose password is a secret. */
  declare readonly leader: pulumi.Output<string | pulumi.Unwrap<ExternalLeader>>;
  /** `leader` once it was promoted or switched over, else `follower`. */
  declare readonly role: pulumi.Output<"follower" | "leader">;
  /** Whether its own keys may be replaced. */
  declare readonly replaceData: pulumi.Output<boolean>;
  /** Whether it was promoted. */
  declare readonly promote: pulumi.Output<boolean>;
  /** Whether the roles are exchanged. */
  declare readonly switchedOver: pulumi.Output<boolean>;
  /** The leader's host. */
  declare readonly leaderHost: pulumi.Output<string>;
  /** The leader's TCP port. */
  declare readonly leaderPort: pulumi.Output<number>;
  /** The history that its data are in: Redis's `master_replid`. Its leader's restart begins another one. */
  declare readonly replicationId: pulumi.Output<string>;
  /** Where the add-on runs. */
  declare readonly platform: pulumi.Output<Platform>;

  /**
   * @param name The resource's name within this program.
   * @param args Who follows whom.
   * @param opts Pulumi's options. `customTimeouts` limit how long the first sync may take (20 minutes by default).
   */
  constructor(name: string, args: RedisFollowerArgs, opts: pulumi.CustomResourceOptions = {}) {
    const { addon } = args;
    const isAddon = RedisAddon.isInstance(addon);
    const { token, props, options } = declared({
      resource: "redisFollower",
      name,
      inputs: {
        ...args,
        addon: isAddon ? addon.id : addon,
        leader: leaderInput(args.leader),
        platform: platformInput(args.platform ?? (isAddon ? addon.platform : undefined)),
      },
      computed: ["role", "leaderHost", "leaderPort", "replicationId", "platform"],
      secrets: [],
      // Where the add-on goes too there is nothing to promote.
      options: deletedWith(isAddon ? addon : undefined, opts),
    });
    super(token, name, props, options);
  }
}

function leaderInput(leader: RedisFollowerArgs["leader"]): unknown {
  if (RedisAddon.isInstance(leader)) return leader.id;
  // Not a resource and not plain: known only later. An id; or, from a JavaScript program, an address, which is then
  // secret as a whole.
  if (pulumi.Output.isInstance(leader) || leader instanceof Promise)
    return (pulumi.output(leader as pulumi.Input<string>) as pulumi.Output<unknown>).apply(secretUnlessText);
  if (typeof leader !== "object" || leader === null) return leader;
  const { tls } = leader;
  return secretAt({ ...leader, tls: typeof tls === "object" ? secretAt(tls, "key") : tls }, "password");
}

function secretUnlessText(value: unknown): unknown {
  return typeof value === "object" ? pulumi.secret(value) : value;
}
