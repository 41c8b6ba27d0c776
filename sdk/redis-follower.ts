import * as pulumi from "@pulumi/pulumi";
import { declared } from "./declare";
import { platformInput, type LocalPlatform, type Platform } from "./platform";
import { RedisAddon } from "./redis-addon";
import { secretAt } from "./secret-at";

/** A Redis that no RedisAddon declares, or one on another machine. */
export interface ExternalLeader {
  /** Its host name or IP address, as seen from where the follower runs. */
  host: pulumi.Input<string>;
  /** Its TCP port. */
  port: pulumi.Input<number>;
  /** The user to replicate as. Default: Redis's user `default`. */
  username?: pulumi.Input<string>;
  /** That user's password. Always kept as a secret. */
  password: pulumi.Input<string>;
}

export interface RedisFollowerArgs {
  /** The add-on that is to follow: a {@link RedisAddon} or its id. It must hold no keys of its own. */
  addon: RedisAddon | pulumi.Input<string>;
  /** Whom it follows: a {@link RedisAddon} of the same data home, its id, or the address of any Redis. */
  leader: RedisAddon | pulumi.Input<string> | ExternalLeader;
  /** Where the add-on runs. Default: that of `addon` where it is a RedisAddon, else this machine. */
  platform?: pulumi.Input<LocalPlatform>;
}

/**
 * Makes an add-on follow a leader: a read-only copy that keeps up with it.
 *
 * It is ready only once the copy is in sync. Without it the add-on is a leader; deleting it promotes the add-on, which
 * keeps its data.
 */
export class RedisFollower extends pulumi.CustomResource {
  /** The add-on that follows. */
  declare readonly addon: pulumi.Output<string>;
  /** Whom it follows: an add-on's id, or an address whose password is a secret. */
  declare readonly leader: pulumi.Output<string | pulumi.Unwrap<ExternalLeader>>;
  /** Always `follower`. */
  declare readonly role: pulumi.Output<"follower">;
  /** The leader's host. */
  declare readonly leaderHost: pulumi.Output<string>;
  /** The leader's TCP port. */
  declare readonly leaderPort: pulumi.Output<number>;
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
      computed: ["role", "leaderHost", "leaderPort", "platform"],
      secrets: [],
      // Where the add-on goes too there is nothing to promote.
      options: isAddon ? { deletedWith: addon, ...opts } : opts,
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
  return secretAt(leader, "password");
}

function secretUnlessText(value: unknown): unknown {
  return typeof value === "object" ? pulumi.secret(value) : value;
}
