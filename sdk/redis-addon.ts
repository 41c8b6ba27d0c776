import * as pulumi from "@pulumi/pulumi";
import type { ACCESS_LEVELS, EVICTION_POLICIES, TIERS } from "../provider/core/facets";
import type { PlanName } from "../provider/core/plans";
import { TYPE_TOKENS } from "../provider/resources/type-tokens";
import { declared, stackDefault } from "./declare";
import { platformInput, type LocalPlatform, type Platform } from "./platform";

export type { PlanName };
/** What an add-on includes: `standard` one backup a day, kept for 7 days; `premium` a frequency and retention of your own. */
export type Tier = (typeof TIERS)[number];
/** What the add-on's user may do: `standard` everything but server administration, `advanced` more of it. */
export type AccessLevel = (typeof ACCESS_LEVELS)[number];
/** What Redis does when its memory is full, in Redis's own words (`maxmemory-policy`). */
export type EvictionPolicy = (typeof EVICTION_POLICIES)[number];

export interface RedisAddonArgs {
  /**
   * The add-on's name: at most 40 lower case letters, digits and hyphens, unique within its data home. Another name is
   * another add-on.
   *
   * Default: `<project>-<stack>-<resource>`, which stays as it was first chosen.
   */
  name?: pulumi.Input<string>;
  /**
   * The size class: memory, connections and databases.
   *
   * `s_mono` 128 MiB, 100 connections, 1 database · `m_mono` 256 MiB, 250, 5 · `l_mono` 512 MiB, 500, 10 · `xl_mono`
   * 1 GiB, 500, 10 · `xxl_mono` 2.5 GiB, 750, 10 · `xxxl_mono` 5 GiB, 1000, 20 · `xxxxl_mono` 10 GiB, 1500, 20.
   *
   * Memory and connections change while the server runs; another number of databases restarts it, data kept.
   */
  plan: pulumi.Input<PlanName>;
  /**
   * `premium` lets a {@link BackupPolicy} choose frequency and retention.
   *
   * Default: the stack's config `redis-addon:tier`, else `standard`.
   */
  tier?: pulumi.Input<Tier>;
  /** What the add-on's user may do. Default: `standard`. */
  access?: pulumi.Input<AccessLevel>;
  /** What Redis does when its memory is full. Changes while the server runs. Default: `noeviction`. */
  evictionPolicy?: pulumi.Input<EvictionPolicy>;
  /**
   * The server's version: `7.2` or `7.2.4` for Redis, `valkey-8.1.8` for Valkey.
   *
   * Default: that of the server found on the machine. It is recorded and never changes by itself.
   */
  version?: pulumi.Input<string>;
  /** The TCP port, 1 to 65535. Default: a free one, which stays as it was first chosen. */
  port?: pulumi.Input<number>;
  /** The IP address to listen on; `0.0.0.0` for all of the machine's. Default: `127.0.0.1`, this machine only. */
  bind?: pulumi.Input<string>;
  /** Where the server runs. Default: this machine. */
  platform?: pulumi.Input<LocalPlatform>;
}

/** A managed Redis database: one server with its credentials, data and daily backups. */
export class RedisAddon extends pulumi.CustomResource {
  /** The add-on's name, which is its id too. */
  declare readonly name: pulumi.Output<string>;
  /** The size class. */
  declare readonly plan: pulumi.Output<PlanName>;
  /** `standard` or `premium`. */
  declare readonly tier: pulumi.Output<Tier>;
  /** What the add-on's user may do. */
  declare readonly access: pulumi.Output<AccessLevel>;
  /** What Redis does when its memory is full. */
  declare readonly evictionPolicy: pulumi.Output<EvictionPolicy>;
  /** The server's version: `7.2.4` for Redis, `valkey-8.1.8` for Valkey. */
  declare readonly version: pulumi.Output<string>;
  /** The host to connect to, from the machine that the server runs on. */
  declare readonly host: pulumi.Output<string>;
  /** The TCP port to connect to. */
  declare readonly port: pulumi.Output<number>;
  /** The IP address that the server listens on. */
  declare readonly bind: pulumi.Output<string>;
  /** The password of the add-on's user (Redis's user `default`). A secret. */
  declare readonly password: pulumi.Output<string>;
  /** `redis://default:password@host:port`, which client libraries and redis-cli take. A secret. */
  declare readonly redisUrl: pulumi.Output<string>;
  /** `redis://password@host:port`, the form documented for `redis-cli -u`. A secret. */
  declare readonly redisCliUrl: pulumi.Output<string>;
  /** When the add-on was made, ISO 8601. */
  declare readonly createdAt: pulumi.Output<string>;
  /** Where the server runs. */
  declare readonly platform: pulumi.Output<Platform>;

  /**
   * Reads an add-on that this program doesn't declare. It becomes no part of the stack: nothing changes or deletes it.
   *
   * @param name The resource's name within this program.
   * @param id The add-on's name.
   */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    opts: pulumi.CustomResourceOptions & { readonly platform?: pulumi.Input<LocalPlatform> } = {},
  ): RedisAddon {
    const { platform, ...options } = opts;
    const args = platform === undefined ? {} : { platform };
    // What is read needs no plan; the constructor's own signature is for what is declared.
    return new RedisAddon(name, args as RedisAddonArgs, { ...options, id });
  }

  /** Whether a value is a RedisAddon, of whichever copy of this package. */
  static override isInstance(value: unknown): value is RedisAddon {
    return (
      pulumi.CustomResource.isInstance(value) &&
      (value as { __pulumiType?: unknown }).__pulumiType === TYPE_TOKENS.redisAddon
    );
  }

  /**
   * @param name The resource's name within this program.
   * @param args What the add-on is to be.
   * @param opts Pulumi's options. `customTimeouts` limit how long an operation may take (20 minutes by default).
   */
  constructor(name: string, args: RedisAddonArgs, opts: pulumi.CustomResourceOptions = {}) {
    const isRead = opts.id !== undefined;
    const { token, props, options } = declared({
      resource: "redisAddon",
      name,
      inputs: {
        ...args,
        tier: args.tier ?? (isRead ? undefined : stackDefault("tier")),
        platform: platformInput(args.platform),
      },
      computed: [
        ...["name", "host", "port", "version", "password", "redisUrl", "redisCliUrl", "createdAt"],
        ...["plan", "tier", "access", "evictionPolicy", "bind", "platform"],
      ],
      secrets: ["password", "redisUrl", "redisCliUrl"],
      options: opts,
    });
    super(token, name, props, options);
  }
}
