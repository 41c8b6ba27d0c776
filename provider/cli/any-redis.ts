import { EncryptionSchema, type Encryption } from "../core/encryption";
import { Failure } from "../core/errors";
import type { BackupSource } from "../core/job";
import { RetentionSchema, type Retention } from "../core/retention";
import { backUpAny } from "../operations/backup-any";
import type { BackupResult } from "../platforms/contract";
import type { CommandContext } from "./context";
import { wrongUsage } from "./exit-codes";
import { optionFile } from "./option-file";
import { addressText, catalogName, defaultName, parseRedisAddress, type RedisAddress } from "./redis-address";
import { stepBehindServers } from "../system/step-behind-servers";
import { passphraseFor, passwordFor } from "./secrets";
import { warn } from "./terminal";

export interface AnyRedisOptions {
  readonly name?: string;
  readonly askPass?: boolean;
  readonly cacert?: string;
  readonly tlsServerName?: string;
  readonly cert?: string;
  readonly key?: string;
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
  const tls = await tlsOf(address, options);
  const encryption = await encryptionOf(name, options);
  if (options.name === undefined && isLoopback(address.host) && !to.startsWith("file:"))
    warn(`${name} may be the name of other machines' backups as well: give it one of its own with --name`);

  const password = passwordFor(addressText(address));
  const { host, port, username } = address;
  const source: BackupSource = {
    ...{ host, port },
    ...(username === undefined ? {} : { username }),
    ...(tls === undefined ? {} : { tls }),
    ...(options.acceptDisk === true ? { acceptDisk: true } : {}),
  };
  const mustAsk = options.askPass === true || (password.given === undefined && username !== undefined);
  const first = mustAsk ? await password.ask() : password.given;
  await stepBehindServers();
  const take = async (secret: string | undefined): Promise<BackupResult> => {
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
  };
  try {
    return await take(first);
  } catch (error) {
    if (error instanceof Failure && error.code === "password-needed") return take(await password.ask());
    throw error;
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

async function tlsOf(address: RedisAddress, options: AnyRedisOptions): Promise<BackupSource["tls"]> {
  const { cacert, tlsServerName, cert, key } = options;
  if (!address.tls) {
    if ([cacert, tlsServerName, cert, key].every((option) => option === undefined)) return undefined;
    throw wrongUsage("--from", "TLS is described, but redis:// uses none", "Write rediss://");
  }
  if ((cert === undefined) !== (key === undefined))
    throw wrongUsage("--cert and --key", "one without the other is of no use");
  const [ca, certificate, privateKey] = await Promise.all([
    cacert === undefined ? undefined : optionFile("--cacert", cacert),
    cert === undefined ? undefined : optionFile("--cert", cert),
    key === undefined ? undefined : optionFile("--key", key),
  ]);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(tlsServerName === undefined ? {} : { serverName: tlsServerName }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(privateKey === undefined ? {} : { key: privateKey }),
  };
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
