import type { Command } from "commander";
import type { BackupPlace } from "../operations/backup-place";
import type { KeyFor } from "../operations/backup-verify";
import { collect } from "./backup-options";
import { wrongUsage } from "./exit-codes";
import { optionFile } from "./option-file";
import { canAsk } from "./prompt";
import { passphraseFor, PASSPHRASE_VARIABLE } from "./secrets";

export interface DecryptionOptions {
  readonly identity?: readonly string[];
}

export function decryptionOptions(command: Command): Command {
  return command.option(
    "--identity <file>",
    `age identities that open encrypted backups; may be repeated (a passphrase: from ${PASSPHRASE_VARIABLE}, or asked for)`,
    collect,
  );
}

/**
 * What opens archives; each is asked for at most once, and only when one needs it. Absent where there is nothing to
 * open them with.
 */
export function keyRing(place: BackupPlace, { identity = [] }: DecryptionOptions): KeyFor {
  let passphrase: Promise<string | undefined> | undefined;
  let identities: Promise<string[]> | undefined;
  const readIdentities = async () => (await Promise.all(identity.map(identitiesIn))).flat();
  const findPassphrase = async () => {
    if (place.passphrase !== undefined) return place.passphrase;
    const isAtHand = process.env[PASSPHRASE_VARIABLE] !== undefined || canAsk();
    return isAtHand ? passphraseFor(`the backups of ${place.name}`, false) : undefined;
  };
  return async (encryption) => {
    if (encryption === undefined) return undefined;
    if (encryption.recipients === undefined) {
      const found = await (passphrase ??= findPassphrase());
      return found === undefined ? undefined : { passphrase: found };
    }
    const found = await (identities ??= readIdentities());
    return found.length === 0 ? undefined : { identities: found };
  };
}

/** A file as age-keygen writes it: an identity a line, and comments. */
async function identitiesIn(path: string): Promise<string[]> {
  const lines = (await optionFile("--identity", path)).split(/\r?\n/).map((line) => line.trim());
  const identities = lines.filter((line) => line !== "" && !line.startsWith("#"));
  // What it holds instead may be secret all the same.
  if (identities.length === 0 || !identities.every((line) => /^AGE-SECRET-KEY-1[A-Z0-9]+$/.test(line)))
    throw wrongUsage("--identity", `${path} holds no age identities`, "age-keygen makes such a file");
  return identities;
}
