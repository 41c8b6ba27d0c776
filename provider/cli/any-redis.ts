import { EncryptionSchema, type Encryption } from "../core/encryption";
import { Failure } from "../core/errors";
import type { BackupSource } from "../core/job";
import { RetentionSchema, type Retention } from "../core/retention";
import { backUpAny } from "../operations/backup-any";
import type { BackupResult } from "../platforms/contract";
import type { CommandContext } from "./context";
import { wrongUsage } from "./exit-codes";
import { catalogName, defaultName, parseRedisAddress } from "./redis-address";
import { stepBehindServers } from "../system/step-behind-servers";
import { withPassword } from "./redis-login";
import { type RedisTlsOptions, tlsOf } from "./redis-tls";
import { passphraseFor } from "./secrets";
import { warn } from "./terminal";

export interface AnyRedisOptions extends RedisTlsOptions {
  readonly name?: string;
  readonly askPass?: boolean;
  readonly acceptDisk?: boolean;
  readonly encryptTo?: readonly string[];
  readonly passphrase?: boolean;
  readonly keepLast?: string;
  readonly keepDays?: string;
  /** True unless `--no-verify` is given. */
  readonly verify?: boolean;
}

/** Backs up any Redis into any store; what was typed is looked at first, before anybody is asked for a secret. */
export async function backUpNamed(
  { home, task }: CommandContext,
  from: string,
  to: string,
  options: AnyRedisOptions,
): Promise<BackupResult> {
  const address = parseRedisAddress(from);
  const name = options.name === undefined ? defaultName(address) : catalogName(options.name);
  const retention = retentionOf(options);
  const tls = await tlsOf("--from", address, options);
  const encryption = await encryptionOf(name, options);
  if (options.name === undefined && isLoopback(address.host) && !to.startsWith("file:"))
    warn(`${name} may be the name of other machines' backups as well: give it one of its own with --name`);

  const { host, port, username } = address;
  const source: BackupSource = {
    ...{ host, port },
    ...(username === undefined ? {} : { username }),
    ...(tls === undefined ? {} : { tls }),
    ...(options.acceptDisk === true ? { acceptDisk: true } : {}),
  };
  return withPassword(address, options, async (secret) => {
    await stepBehindServers();
    const given = secret === undefined ? {} : { password: secret };
    const taken = await backUpAny(
      {
        source: { ...source, ...given },
        destination: to,
        ...{ name, retention, encryption, dataHome: home, verify: options.verify !== false },
      },
      task,
    );
    if (taken.pruneFailure !== undefined)
      warn(
        `the backup is good, but older ones could not be removed: ${new Failure(taken.pruneFailure).message}`,
      );
    const { slot, archiveUrl, sizeBytes, verification, warnings } = taken;
    const keys = verification?.counts?.keys ?? taken.keys;
    return {
      ...{ slot, archive: archiveUrl, sizeBytes, warnings },
      ...(keys === undefined ? {} : { keys }),
      ...(verification === undefined ? {} : { verification }),
    };
  });
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

async function encryptionOf(
  name: string,
  { encryptTo, passphrase }: AnyRedisOptions,
): Promise<Encryption | undefined> {
  if (encryptTo !== undefined && passphrase === true)
    throw wrongUsage("--encrypt-to and --passphrase", "an archive is encrypted in one of the two ways");
  if (passphrase === true) return { passphrase: await passphraseFor(`the backup of ${name}`, true) };
  if (encryptTo === undefined) return undefined;
  const parsed = EncryptionSchema.safeParse({ recipients: encryptTo });
  if (parsed.success) return parsed.data;
  throw wrongUsage("--encrypt-to", "a recipient begins with age1", "age-keygen makes one with its identity");
}

function retentionOf({ keepLast, keepDays }: AnyRedisOptions): Retention | undefined {
  if (keepLast === undefined && keepDays === undefined) return undefined;
  const parsed = RetentionSchema.safeParse({
    ...(keepLast === undefined ? {} : { keepLast: Number(keepLast) }),
    ...(keepDays === undefined ? {} : { days: Number(keepDays) }),
  });
  if (parsed.success) return parsed.data;
  const cause = parsed.error.issues.map(({ message }) => message).join("; ");
  throw wrongUsage("--keep-last or --keep-days", cause);
}
