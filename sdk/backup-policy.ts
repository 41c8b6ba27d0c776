import * as pulumi from "@pulumi/pulumi";
import { declared } from "./declare";
import { platformInput, type LocalPlatform, type Platform } from "./platform";
import { RedisAddon, type Tier } from "./redis-addon";
import { secretAt } from "./secret-at";

/** When backups are due: at an interval, once a day, or by a cron expression. */
export type Schedule =
  | {
      /** A whole number of minutes, hours or days: `30m`, `6h`, `1d`. Counted from the Unix epoch, in UTC. */
      every: string;
    }
  | {
      /** The time of day, `00:00` to `23:59`. */
      daily: string;
      /** An IANA time zone such as `Europe/Paris`. Default: UTC. */
      timezone?: string;
    }
  | {
      /** Five fields: minute, hour, day of month, month, day of week. `30 3 * * *`. */
      cron: string;
      /** An IANA time zone such as `Europe/Paris`. Default: UTC. */
      timezone?: string;
    };

/** How long backups are kept. The rules are a union: a backup goes only when none of them wants it. */
export interface Retention {
  /** Keeps what is at most this many days old. */
  days?: number;
  /** Keeps the newest ones, this many. */
  keepLast?: number;
  /**
   * The newest ones that stay however old they are. Default: 3 where `days` is given (a clock that jumps ahead makes
   * every backup look old), otherwise 1.
   */
  minimum?: number;
}

/** The keys of an S3-compatible store. */
export interface StoreCredentials {
  accessKeyId: pulumi.Input<string>;
  /** Always kept as a secret. */
  secretAccessKey: pulumi.Input<string>;
  /** Of temporary keys alone. Always kept as a secret. */
  sessionToken?: pulumi.Input<string>;
}

/** To whom archives are encrypted, in the format of https://age-encryption.org/v1. */
export type Encryption =
  | {
      /** Public keys, `age1…`, as `age-keygen` makes them. Any one of their identities opens an archive. */
      recipients: pulumi.Input<pulumi.Input<string>[]>;
    }
  | {
      /** Always kept as a secret. */
      passphrase: pulumi.Input<string>;
    };

export interface BackupPolicyArgs {
  /** The add-on to back up: a {@link RedisAddon} or its id. */
  addon: RedisAddon | pulumi.Input<string>;
  /**
   * When backups are due. Other than `daily` needs the tier `premium`.
   *
   * Default: every day at 03:00 UTC.
   */
  schedule?: pulumi.Input<pulumi.Unwrap<Schedule>>;
  /**
   * How long backups are kept. Other than 7 days needs the tier `premium`.
   *
   * Default: 7 days.
   */
  retention?: pulumi.Input<pulumi.Unwrap<Retention>>;
  /**
   * A URL: `file:///folder`, or `s3://bucket/prefix?endpoint=https://host&region=…&pathStyle=true` for an S3-compatible
   * store, where `endpoint` is left out for AWS itself.
   *
   * Default: the folder `backups` in the data home.
   */
  destination?: pulumi.Input<string>;
  /**
   * For a destination that asks for them.
   *
   * Default: what the standard chain of the AWS SDK finds on the machine where the add-on runs: its profiles and roles,
   * but no keys in environment variables, because the agent that takes backups is not given those.
   */
  credentials?: StoreCredentials;
  /** Encrypts archives for the owners of keys, or with a passphrase. The manifests stay readable. Default: no encryption. */
  encryption?: Encryption;
  /** Where the add-on runs. Default: that of `addon` where it is a RedisAddon, else this machine. */
  platform?: pulumi.Input<LocalPlatform>;
}

/**
 * Sets when an add-on is backed up, where to, and how long backups are kept.
 *
 * Without it an add-on is backed up every day and backups are kept for 7 days; deleting it returns to that and removes
 * no backup.
 */
export class BackupPolicy extends pulumi.CustomResource {
  /** The add-on that is backed up. */
  declare readonly addon: pulumi.Output<string>;
  /** When backups are due. */
  declare readonly schedule: pulumi.Output<Schedule>;
  /** How long backups are kept. */
  declare readonly retention: pulumi.Output<Retention>;
  /** Where backups go; absent: the folder `backups` in the data home. */
  declare readonly destination: pulumi.Output<string | undefined>;
  /** The destination's keys, of which the secret one is a secret; absent: those that the machine knows. */
  declare readonly credentials: pulumi.Output<pulumi.Unwrap<StoreCredentials> | undefined>;
  /** To whom archives are encrypted; absent: they aren't. */
  declare readonly encryption: pulumi.Output<pulumi.Unwrap<Encryption> | undefined>;
  /** Where the add-on runs. */
  declare readonly platform: pulumi.Output<Platform>;

  /**
   * @param name The resource's name within this program.
   * @param args What to back up, when, and how long to keep it.
   * @param opts Pulumi's options.
   */
  constructor(name: string, args: BackupPolicyArgs, opts: pulumi.CustomResourceOptions = {}) {
    const { addon } = args;
    const isAddon = RedisAddon.isInstance(addon);
    const tier: pulumi.Input<Tier> | undefined = isAddon ? addon.tier : undefined;
    const { token, props, options } = declared({
      resource: "backupPolicy",
      name,
      inputs: {
        ...args,
        addon: isAddon ? addon.id : addon,
        credentials: secretAt(args.credentials, "secretAccessKey", "sessionToken"),
        encryption: secretAt(args.encryption, "passphrase"),
        platform: platformInput(args.platform ?? (isAddon ? addon.platform : undefined)),
      },
      // Whether the policy may be its own: in a first preview nothing is recorded yet that would tell.
      hidden: { __tier: tier },
      computed: ["schedule", "retention", "destination", "platform"],
      secrets: [],
      // The add-on's final backup still goes where the policy says.
      options: isAddon ? { deletedWith: addon, ...opts } : opts,
    });
    super(token, name, props, options);
  }
}
