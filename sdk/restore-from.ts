import * as pulumi from "@pulumi/pulumi";
import type { StoreCredentials } from "./backup-policy";
import type { RedisAddon } from "./redis-addon";
import { secretAt } from "./secret-at";

/** What opens an encrypted archive, in the format of https://age-encryption.org/v1. */
export type DecryptionKey =
  | {
      /** Always kept as a secret. */
      passphrase: pulumi.Input<string>;
    }
  | {
      /** Secret keys, `AGE-SECRET-KEY-1…`, as `age-keygen` makes them. Always kept as secrets. */
      identities: pulumi.Input<pulumi.Input<string>[]>;
    };

/** A backup: of an add-on of the same data home, or of any store. */
export type RestoreFrom =
  | {
      /**
       * The add-on whose backup it is: a {@link RedisAddon} or its id. It may be this one's own id, and one that was
       * deleted, where its backups went to the data home.
       */
      addon: RedisAddon | pulumi.Input<string>;
      /**
       * `latest`, the newest that isn't damaged; `latest-verified`; or a backup's name, or a beginning of one that is no
       * other's: `20260501T0300`.
       *
       * Default: `latest`.
       */
      backup?: pulumi.Input<string>;
      /** For an encrypted one. Default: the passphrase of the add-on's BackupPolicy, where it has one. */
      key?: DecryptionKey;
    }
  | {
      /**
       * That of a catalog, `<destination>/<catalog>` (`file:///var/backups/redis/cache-1a2b3c4d`,
       * `s3://bucket/prefix/cache-1a2b3c4d?endpoint=https://host`), or of one archive, which ends in `.tar.gz` or
       * `.tar.gz.age` and is compared with its manifest where that lies beside it.
       */
      url: pulumi.Input<string>;
      /** As above; of a catalog alone. Default: `latest`. */
      backup?: pulumi.Input<string>;
      /** For a store that asks for them. Default: what the standard chain of the AWS SDK finds. */
      credentials?: StoreCredentials;
      /** For an encrypted one. */
      key?: DecryptionKey;
    };

/** The same, with its secrets as such and the add-on's id in place of the add-on. */
export function restoreInput(from: RestoreFrom | undefined): unknown {
  if (typeof from !== "object" || pulumi.Output.isInstance(from) || from instanceof Promise)
    return secretAt(from);
  const inputs = { ...from, key: secretAt(from.key, "passphrase", "identities") };
  if ("addon" in inputs) {
    const { addon } = inputs;
    return { ...inputs, addon: pulumi.CustomResource.isInstance(addon) ? addon.id : addon };
  }
  return { ...inputs, credentials: secretAt(inputs.credentials, "secretAccessKey", "sessionToken") };
}
