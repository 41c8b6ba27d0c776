import * as pulumi from "@pulumi/pulumi";
import { Redis } from "ioredis";
import { RedisAddon } from "pulumi-redis-addon";

export interface RestoreDrillArgs {
  /** Whose newest backup is restored. */
  addon: RedisAddon;
  /** The drill fails with fewer keys than this in database 0. */
  atLeastKeys: number;
}

/** A second add-on with the data of another one's newest backup, looked at by a client as an application would. */
export class RestoreDrill extends pulumi.ComponentResource {
  /** The backup that was restored. */
  readonly backup: pulumi.Output<string | undefined>;
  /** How many keys it has in database 0. */
  readonly keys: pulumi.Output<number>;

  constructor(
    name: string,
    { addon, atLeastKeys }: RestoreDrillArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("redis-addon-examples:index:RestoreDrill", name, {}, opts);
    const restored = new RedisAddon(
      name,
      {
        // What the add-on holds fits into its own plan, and its own version can load it.
        plan: addon.plan,
        version: addon.version,
        restoreFrom: { addon, backup: "latest" },
        // What it holds is in a backup already.
        deletion: { finalBackup: false },
      },
      { parent: this },
    );
    this.backup = restored.restoredBackup;
    // The URL is a secret; how many keys there are is none.
    this.keys = pulumi.unsecret(
      restored.redisUrl.apply(async (url) => checked(await keysOf(url), atLeastKeys)),
    );
    this.registerOutputs({ backup: this.backup, keys: this.keys });
  }
}

async function keysOf(url: string): Promise<number> {
  const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 1 });
  try {
    return await client.dbsize();
  } finally {
    client.disconnect();
  }
}

/** Put here what else must hold of your data: a key that is always there, a sum that adds up, how old the last order is. */
function checked(keys: number, atLeast: number): number {
  if (keys >= atLeast) return keys;
  throw new pulumi.RunError(`the restored backup holds ${keys} keys, and ${atLeast} are the least`);
}
