import * as pulumi from "@pulumi/pulumi";
import {
  BackupPolicy,
  RedisAddon,
  RedisFollower,
  type BackupPolicyArgs,
  type RedisAddonArgs,
} from "pulumi-redis-addon";

export interface ReplicatedRedisArgs {
  /** The size of the leader, and of the follower: either may have to lead. */
  plan: RedisAddonArgs["plan"];
  /** What both do when their memory is full. Default: `noeviction`. */
  evictionPolicy?: RedisAddonArgs["evictionPolicy"];
  /** When both are backed up, and how long backups are kept. */
  backups: Pick<BackupPolicyArgs, "schedule" | "retention">;
  /** Whether the two have exchanged their roles. Default: false. */
  switchedOver?: pulumi.Input<boolean>;
}

/** A Redis with a copy that keeps up with it and can take its place. */
export class ReplicatedRedis extends pulumi.ComponentResource {
  /** For applications: the URL of the one that leads at present. A secret. */
  readonly redisUrl: pulumi.Output<string>;
  /** For readers who may be a moment behind: the URL of the one that follows at present. A secret. */
  readonly readOnlyUrl: pulumi.Output<string>;

  constructor(name: string, args: ReplicatedRedisArgs, opts?: pulumi.ComponentResourceOptions) {
    super("redis-addon-examples:index:ReplicatedRedis", name, {}, opts);
    const parent = { parent: this };
    const { plan, evictionPolicy = "noeviction", backups, switchedOver = false } = args;

    // The premium tier lets an add-on have a backup policy of its own.
    const addon = { plan, evictionPolicy, tier: "premium" } as const;
    const first = new RedisAddon(`${name}-first`, addon, parent);
    const second = new RedisAddon(`${name}-second`, addon, parent);
    const following = new RedisFollower(
      `${name}-replication`,
      { addon: second, leader: first, switchedOver },
      parent,
    );
    for (const [which, one] of [
      ["first", first],
      ["second", second],
    ] as const)
      new BackupPolicy(`${name}-${which}-backups`, { addon: one, ...backups }, parent);

    // Whoever uses the URLs waits until the two are in sync, or have exchanged their roles.
    const urls = pulumi.all([following.role, first.redisUrl, second.redisUrl]);
    this.redisUrl = urls.apply(([role, ofFirst, ofSecond]) => (role === "leader" ? ofSecond : ofFirst));
    this.readOnlyUrl = urls.apply(([role, ofFirst, ofSecond]) => (role === "leader" ? ofFirst : ofSecond));
    this.registerOutputs({ redisUrl: this.redisUrl, readOnlyUrl: this.readOnlyUrl });
  }
}
