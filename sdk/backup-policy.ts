import * as pulumi from "@pulumi/pulumi";
import { addonOf } from "./addon-of";
import { declared } from "./declare";
import { deletedWith } from "./deleted-with";
import { rememberPolicy, requireOnePolicy } from "./one-policy";
import { platformInput, type LocalPlatform, type Platform } from "./platform";
import type { RedisAddon, Tier } from "./redis-addon";
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

/**
 * How long backups are kept. The rules are a union: a backup goes only when none of them wants it. Whatever they say, the
 * newest verified backup stays, and so does what is pinned or being restored.
 *
 * Days, weeks, months and years are those of the schedule's time zone, UTC where it has none. After a pause that the
 * schedule doesn't explain (the machine slept, its clock jumped) nothing from before goes because of its age for a day.
 */
export interface Retention {
  /** Keeps what is at most this many days old. */
  days?: number;
  /** Keeps the newest ones, this many. */
  keepLast?: number;
  /** Keeps the newest one of each day, for the last so many days that have one. */
  daily?: number;
  /** Keeps the newest one of each week, for the last so many weeks that have one. A week begins on Monday. */
  weekly?: number;
  /** Keeps the newest one of each month, for the last so many months that have one. */
  monthly?: number;
  /** Keeps the newest one of each year, for the last so many years that have one. */
  yearly?: number;
  /** The newest ones that stay however old they are. Default: 1. */
  minimum?: number;
}

/** Who is told of backups that can't be relied on, beside the log, `redis-addon backup status` and every preview. */
export interface Alerts {
  /**
   * An http or https URL that a JSON text is posted to when a backup fails, and when no verified one is younger than the
   * schedule's longest gap and two hours. Always kept as a secret: such URLs hold a token.
   */
  webhook: pulumi.Input<string>;
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
  /**
   * The add-on to back up: a {@link RedisAddon} (or its output `id` or `name`, which means the same), or its id as a text.
   * An add-on has one policy; a second one is refused.
   *
   * By a RedisAddon the last backup of an add-on that is deleted together with its policy goes to the policy's
   * destination. A text doesn't tell Pulumi that the two belong together: it may delete the policy first, and then that
   * last backup goes to the default place.
   */
  addon: RedisAddon | pulumi.Input<string>;
  /**
   * When backups are due. Other than `daily` needs the tier `premium`.
   *
   * Default: every day at 03:00 UTC.
   */
  schedule?: pulumi.Input<pulumi.Unwrap<Schedule>>;
  /**
   * How long backups are kept. Other than 7 days needs the tier `premium`. What is given replaces the default: with
   * `{ keepLast: 3 }` there are no 7 days any more. The preview of a change says what it would remove.
   *
   * Default: 7 days.
   */
  retention?: pulumi.Input<pulumi.Unwrap<Retention>>;
  /**
   * A URL: `file:///folder`, or `s3://bucket/prefix?endpoint=https://host&region=…&pathStyle=true` for an S3-compatible
   * store, where `endpoint` is left out for AWS itself. Backups that lie elsewhere already stay there, and nothing
   * removes them any more.
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
  /** Who is told of a backup that fails or is overdue. For every tier. Default: nobody is called. */
  alerts?: Alerts;
  /** Where the add-on runs. Default: that of `addon` where it is a RedisAddon, else this machine. */
  platform?: pulumi.Input<LocalPlatform>;
}

/**
 * Sets when an add-on is backed up, where to, and how long backups are kept. An add-on has one at most;
 * {@link backupPolicies} makes one for each of many.
 *
 * Without it an add-on is backed up every day and backups are kept for 7 days; deleting it returns to that and removes
 * no backup. What 7 days don't keep goes with the next backup: the deletion says how much that is.
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
  /** Who is told of what goes wrong, a secret; absent: nobody. */
  declare readonly alerts: pulumi.Output<pulumi.Unwrap<Alerts> | undefined>;
  /** Where the add-on runs. */
  declare readonly platform: pulumi.Output<Platform>;

  /**
   * @param name The resource's name within this program.
   * @param args What to back up, when, and how long to keep it.
   * @param opts Pulumi's options.
   */
  constructor(name: string, args: BackupPolicyArgs, opts: pulumi.CustomResourceOptions = {}) {
    const addon = addonOf(args.addon);
    const tier: pulumi.Input<Tier> | undefined = addon?.tier;
    if (addon !== undefined) requireOnePolicy(addon, name);
    const { token, props, options } = declared({
      resource: "backupPolicy",
      name,
      inputs: {
        ...args,
        addon: addon === undefined ? args.addon : addon.id,
        credentials: secretAt(args.credentials, "secretAccessKey", "sessionToken"),
        encryption: secretAt(args.encryption, "passphrase"),
        alerts: secretAt(args.alerts, "webhook"),
        platform: platformInput(args.platform ?? addon?.platform),
      },
      // Whether the policy may be its own: in a first preview nothing is recorded yet that would tell.
      hidden: { __tier: tier },
      computed: ["schedule", "retention", "destination", "platform"],
      secrets: [],
      // The add-on's final backup still goes where the policy says.
      options: deletedWith(addon, opts),
    });
    super(token, name, props, options);
    if (addon !== undefined) rememberPolicy(addon, name);
  }
}
