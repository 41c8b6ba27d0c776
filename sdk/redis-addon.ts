import * as pulumi from "@pulumi/pulumi";
import type { ACCESS_LEVELS, EVICTION_POLICIES, PERSISTENCE, TIERS } from "../provider/core/facets";
import { planOf, type CustomPlan, type PlanName } from "../provider/core/plans";
import { withDatabase } from "../provider/core/uri";
import { PLACEHOLDER } from "../provider/pulumi/properties";
import { TYPE_TOKENS } from "../provider/resources/type-tokens";
import { declared, stackDefault } from "./declare";
import { rememberRead } from "./deleted-with";
import { platformInput, type LocalPlatform, type Platform } from "./platform";
import { restoreInput, type RestoreFrom } from "./restore-from";

export type { CustomPlan, PlanName };
/** What an add-on includes: `standard` one backup a day, kept for 7 days; `premium` a frequency and retention of your own. */
export type Tier = (typeof TIERS)[number];
/** What the add-on's user may do: `standard` everything but server administration, `advanced` more of it. */
export type AccessLevel = (typeof ACCESS_LEVELS)[number];
/** What Redis does when its memory is full, in Redis's own words (`maxmemory-policy`). */
export type EvictionPolicy = (typeof EVICTION_POLICIES)[number];

/** Whether an add-on's backups can be relied on. */
export type BackupHealthState = "fresh" | "failing" | "overdue";

/** What the server writes down of a change before it answers. */
export type Persistence = (typeof PERSISTENCE)[number];

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
   * Or a size of your own: `{ memory: "3gb", connections: 200, databases: 4 }`; mb and gb are Redis's, by 1024.
   *
   * Memory and connections change while the server runs; another number of databases restarts it, data kept. Shrinking
   * below the data in use is refused.
   */
  plan: pulumi.Input<PlanName | CustomPlan>;
  /**
   * `premium` lets a {@link BackupPolicy} choose frequency and retention.
   *
   * Default: the stack's config `redis-addon:tier`, else `standard`.
   */
  tier?: pulumi.Input<Tier>;
  /**
   * What the add-on's user may do: `standard` everyday commands; `advanced` also MONITOR, CLIENT KILL and PAUSE, resets of
   * SLOWLOG and LATENCY and, on leaders, CONFIG GET and RESETSTAT. `sdk/RIGHTS.md` of this package lists every command.
   *
   * Default: `standard`.
   */
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
  /**
   * The IP address to listen on; `0.0.0.0` for all of the machine's. Of several (separated by blanks) the first is in
   * the URLs: an IPv4 address, as some clients take no other there.
   *
   * Default: `127.0.0.1`, this machine only.
   */
  bind?: pulumi.Input<string>;
  /**
   * The password of the add-on's user: 8 to 512 characters that can be printed. It changes while the server runs:
   * connections that are open stay open. Left out again, it stays.
   *
   * Default: one is made, 256 bits, safe in shells and URLs.
   */
  password?: pulumi.Input<string>;
  /**
   * What the server writes down of a change before it answers. `everysec`: a killed server loses nothing, a power
   * failure the last second or two. `always`: not even that, but each write waits for the disk. `none`: the data live in
   * memory alone, and whatever ends the server without being asked to ends them: it starts empty, and so do those who
   * follow it. Changes while the server runs.
   *
   * Default: `everysec`.
   */
  persistence?: pulumi.Input<Persistence>;
  /**
   * Further settings of redis.conf, such as `{ "notify-keyspace-events": "KEA", timeout: 300 }`; `sdk/SETTINGS.md` of this
   * package lists them with units and bounds. Others are refused with the reason. What is left out again returns to Redis's own default.
   */
  settings?: pulumi.Input<Record<string, pulumi.Input<string | number | boolean>>>;
  /** Names and texts of your own, shown by `redis-addon info`. At most 64. */
  labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** What happens when the add-on is deleted. Default: `{ finalBackup: true }`, a last backup that nothing removes. */
  deletion?: pulumi.Input<Deletion>;
  /**
   * Where its data come from: a backup of an add-on, of a store, or one archive. A new add-on begins with them; of one
   * that is there, another `restoreFrom` than before replaces what it holds, in place, which wants `replaceData`. One
   * wish restores once, `latest` included: the backup that was chosen is the output `restoredBackup`. Left out again, it
   * changes nothing.
   *
   * Default: a new add-on is empty.
   */
  restoreFrom?: RestoreFrom;
  /**
   * Whether `restoreFrom` may replace keys that the add-on holds. They are backed up first, verified, and the backup's
   * id is shown. By itself it does nothing. Default: false, and such a restore is refused, in the preview too.
   */
  replaceData?: pulumi.Input<boolean>;
  /** Where the server runs. Default: this machine. */
  platform?: pulumi.Input<LocalPlatform>;
}

/** What applications take from their environment. A type, so that it fits wherever names and texts are wanted. */
export type RedisEnvironment = {
  REDIS_HOST: string;
  REDIS_PORT: string;
  REDIS_PASSWORD: string;
  REDIS_URL: string;
  REDIS_CLI_URL: string;
};

export interface Deletion {
  /** Whether a last backup is taken, and proved, before anything is deleted. Default: true. */
  finalBackup?: pulumi.Input<boolean>;
}

/** A managed Redis database: one server with its credentials, data and daily backups. */
export class RedisAddon extends pulumi.CustomResource {
  /** The add-on's name, which is its id too. */
  declare readonly name: pulumi.Output<string>;
  /** The size class. */
  declare readonly plan: pulumi.Output<PlanName | CustomPlan>;
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
  /** What the server writes down of a change before it answers. */
  declare readonly persistence: pulumi.Output<Persistence>;
  /** Further settings of redis.conf, as CONFIG GET spells them. */
  declare readonly settings: pulumi.Output<Record<string, string>>;
  /** Names and texts of the program's own. */
  declare readonly labels: pulumi.Output<Record<string, string>>;
  /** What happens when the add-on is deleted. */
  declare readonly deletion: pulumi.Output<{ finalBackup: boolean }>;
  /** `redis://default:password@host:port`, which client libraries and redis-cli take. A secret. */
  declare readonly redisUrl: pulumi.Output<string>;
  /** `redis://password@host:port`, the form documented for `redis-cli -u`. A secret. */
  declare readonly redisCliUrl: pulumi.Output<string>;
  /** When the add-on was made, ISO 8601. */
  declare readonly createdAt: pulumi.Output<string>;
  /** The backup that its data were last restored from: a slot, or the file's name of a lone archive. Absent: none was. */
  declare readonly restoredBackup: pulumi.Output<string | undefined>;
  /**
   * Whether its backups can be relied on: `failing` where the last one failed, `overdue` where no verified one is younger
   * than the schedule's longest gap and two hours. As it was when the add-on was made, or at the last refresh, which shows
   * a change as drift; every preview warns of what isn't fresh now, and says why.
   */
  declare readonly backupHealth: pulumi.Output<BackupHealthState>;
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

  /**
   * What applications take from their environment: REDIS_HOST, REDIS_PORT, REDIS_PASSWORD, REDIS_URL and REDIS_CLI_URL.
   * A secret.
   */
  get environment(): pulumi.Output<RedisEnvironment> {
    return pulumi.secret({
      REDIS_HOST: this.host,
      REDIS_PORT: this.port.apply(String),
      REDIS_PASSWORD: this.password,
      REDIS_URL: this.redisUrl,
      REDIS_CLI_URL: this.redisCliUrl,
    });
  }

  /**
   * `redisUrl` for one of the add-on's databases. A secret.
   *
   * @param database Its number, from 0 up to the plan's number of databases less one; an error otherwise.
   */
  urlFor(database: number): pulumi.Output<string> {
    return pulumi.all([this.redisUrl, this.plan]).apply(([url, plan]) => {
      const { databases } = planOf(plan);
      if (Number.isInteger(database) && database >= 0 && database < databases)
        return withDatabase(url, database);
      const has = databases === 1 ? "one database, number 0" : `databases 0 to ${databases - 1}`;
      throw new pulumi.RunError(`there is no database ${database}: the add-on's plan has ${has}`);
    });
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
        // Whatever the program gives: a state holds no password in clear.
        password: args.password === undefined ? undefined : pulumi.secret(args.password),
        restoreFrom: restoreInput(args.restoreFrom),
        tier: args.tier ?? (isRead ? undefined : stackDefault("tier")),
        platform: platformInput(args.platform),
      },
      computed: [
        ...["name", "host", "port", "version", "password", "redisUrl", "redisCliUrl", "createdAt"],
        ...["plan", "tier", "access", "evictionPolicy", "bind", "platform"],
        ...["persistence", "settings", "labels", "deletion", "restoredBackup", "backupHealth"],
      ],
      secrets: ["password", "redisUrl", "redisCliUrl"],
      options: opts,
    });
    super(token, name, props, options);
    if (isRead) rememberRead(this);
    // Of one that was never restored the engine tells nothing, and what stands among the inputs would remain.
    this.restoredBackup = this.restoredBackup.apply((backup) =>
      backup === PLACEHOLDER ? undefined : backup,
    );
  }
}
