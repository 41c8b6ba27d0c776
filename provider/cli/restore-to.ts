import { heldWords, holdsAnything } from "../core/held-data";
import { listBackups } from "../operations/list-backups";
import {
  type AnyRestored,
  previewRestoreAny,
  restoreAny,
  type RestoreTarget,
} from "../operations/restore-any";
import type { SafetyPlace } from "../operations/restore-any/safety";
import type { ResolvedRestore } from "../operations/restore/restore-source";
import { backupWords } from "../operations/restore/restore-words";
import { isLoopback } from "./any-redis";
import { confirm } from "./confirm";
import type { CommandContext } from "./context";
import { wrongUsage } from "./exit-codes";
import { type ListenOptions, listenWish } from "./listen-options";
import { printFields, printJson, printLine } from "./print";
import { addressText, catalogName, defaultName, parseRedisAddress } from "./redis-address";
import { withPassword } from "./redis-login";
import { type RedisTlsOptions, tlsOf } from "./redis-tls";
import { warn } from "./terminal";

export interface RestoreToOptions extends RedisTlsOptions, ListenOptions {
  readonly askPass?: boolean;
  readonly replaceData?: boolean;
  /** False where `--no-safety-backup` is given; a URL where `--safety-backup <URL>` is. */
  readonly safetyBackup?: string | boolean;
  readonly safetyName?: string;
  readonly acceptDisk?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Restores into any Redis; what was typed is looked at first, then the Redis, and only then is anybody asked. */
export async function restoreTo(
  { home, task }: CommandContext,
  backup: ResolvedRestore,
  to: string,
  options: RestoreToOptions,
): Promise<void> {
  const address = parseRedisAddress(to, "--to");
  const tls = await tlsOf("--to", address, options);
  const listening = listenWish(options);
  const safety = safetyPlace(backup, defaultName(address), options);
  const { host, port, username } = address;
  const { target, look } = await withPassword(address, options, async (password) => {
    const target: RestoreTarget = { host, port, username, tls, password };
    return { target, look: await previewRestoreAny({ backup, target }, task) };
  });
  const subject = addressText(address);
  if (holdsAnything(look.held) && options.replaceData === true)
    await confirm({
      ...{ yes: options.yes, operation: "restore into", subject },
      consequences: [
        `${subject} gets the data of ${backupWords(backup)}`,
        `what it holds is replaced: ${heldWords(look.held)}`,
        safety === undefined
          ? `no backup of that is taken first, and ${await newestWords(backup, defaultName(address), task)}`
          : `a verified backup of that is taken first, into ${safety.destination}, catalog ${safety.name}, while its writers wait`,
        "its users get READONLY, then LOADING, until the data are there",
        ...(look.followers === 0 ? [] : [`what follows it (${look.followers}) is sent everything anew`]),
      ],
    });
  if (!isLoopback(host))
    warn(`the data go to ${subject} unencrypted, as a leader sends them to its follower`);
  const restored = await restoreAny(
    {
      ...{ backup, target, listening, dataHome: home },
      ...{ replaceData: options.replaceData === true, safety },
    },
    task,
  );
  tell(restored, safety, options);
}

function safetyPlace(
  { source }: ResolvedRestore,
  name: string,
  { safetyBackup, safetyName, acceptDisk, replaceData }: RestoreToOptions,
): SafetyPlace | undefined {
  if (safetyBackup === false) return undefined;
  const catalog = safetyName === undefined ? name : catalogName(safetyName);
  if (typeof safetyBackup === "string") return { destination: safetyBackup, name: catalog, acceptDisk };
  if (source.kind === "backup")
    return { destination: source.destination, name: catalog, credentials: source.credentials, acceptDisk };
  // Then nothing is replaced.
  if (replaceData !== true) return undefined;
  throw wrongUsage(
    "--archive",
    "nothing says where the backup of what is replaced shall go",
    "Give a store with --safety-backup <URL>, or --no-safety-backup",
  );
}

/** What there is of what is lost. */
async function newestWords(
  { source }: ResolvedRestore,
  name: string,
  task: CommandContext["task"],
): Promise<string> {
  if (source.kind !== "backup") return "none of it is known";
  const { destination, credentials } = source;
  const place = { name, destination, catalogKey: name };
  const { backups } = await listBackups(credentials === undefined ? place : { ...place, credentials }, task);
  const newest = backups.at(-1);
  const where = `${destination}, catalog ${name}`;
  return newest === undefined
    ? `there is none in ${where}`
    : `the newest in ${where} is of ${newest.takenAt}`;
}

function tell(restored: AnyRestored, safety: SafetyPlace | undefined, { json }: RestoreToOptions): void {
  for (const warning of restored.warnings) warn(warning);
  if (json === true) return printJson(restored);
  const { backup, target, keys, safetyBackup, readOnlyMs } = restored;
  printFields([
    ["Restored", backup],
    ["Into", target],
    ["Keys", String(keys)],
    ["Read-only", `${(readOnlyMs / 1000).toFixed(1)} s`],
    ...(safetyBackup === undefined
      ? []
      : [["What it held", `backup ${safetyBackup.slot} of ${safety?.name ?? ""}`] as const]),
  ]);
  printLine("\nIt leads again, and follows nobody.");
}
