import { parseDestination } from "../../core/destination";
import type { DecryptionKey } from "../../core/encryption";
import { Failure } from "../../core/errors";
import type { Manifest } from "../../core/manifest";
import type { RestoreOrigin, RestoreSource } from "../../core/restore";
import type { RestorableManifest } from "../../core/restore-fit";
import { parseRestoreUrl, type RestorePlace } from "../../core/restore-url";
import type { StoreCredentials } from "../../core/store-credentials";
import type { Task } from "../../core/task";
import type { Verification } from "../../core/verification";
import type { Platform } from "../../platforms/contract";
import { environmentKeys } from "../../stores/s3/environment-keys";
import { type BackupPlace, noSuchCatalog, openPlace } from "../backup-place";
import type { KeyFor } from "../backup-verify";
import { backupOfSlot, chooseBackup, type FoundBackup } from "./restore-candidates";
import { keyOf } from "./restore-key";
import { loneArchive } from "./restore-lone-archive";
import { backupsOfAddon } from "./restore-place";

/** What opens the place and the archive, beside what the platform knows. */
export interface RestoreSecrets {
  /** For a store that asks for them; absent: those of the add-on's policy, or what the environment says. */
  readonly credentials?: StoreCredentials | undefined;
  /** For an archive that is encrypted; absent: the passphrase of the add-on's policy, then what `keyFor` finds. */
  readonly key?: DecryptionKey | undefined;
  readonly keyFor?: KeyFor | undefined;
}

/** A stored backup that data are to be restored from, found. */
export interface ResolvedRestore {
  readonly source: RestoreSource;
  /** The slot; of a lone archive, its file's name. */
  readonly backup: string;
  /** URL of the archive, without credentials. */
  readonly archive: string;
  /** Absent: a lone archive, of which nobody can say what it holds before it is fetched. */
  readonly manifest?: Manifest;
  /** What a snapshot that lies alone says of itself. */
  readonly snapshot?: RestorableManifest;
  /** What was found when somebody last looked at it; absent: nobody has. */
  readonly verification?: Verification;
  /** Newer backups that `latest` doesn't mean, each a sentence that says why. */
  readonly passedOver: readonly string[];
}

type Asking = Pick<Task, "signal">;

/**
 * The stored backup that somebody means. An add-on's lie where its record says, those of a deleted one in the data
 * home's own place; `latest` is the newest that isn't damaged. Reads only.
 *
 * Fails with `no-such-addon`, `no-such-catalog`, `no-such-backup`, `ambiguous-backup`, `backup-damaged`, `needs-key`,
 * `unsupported-destination`, or as the store does.
 */
export async function resolveRestore(
  platform: Platform,
  from: RestoreOrigin,
  given: RestoreSecrets,
  task: Asking,
): Promise<ResolvedRestore> {
  if ("addon" in from) {
    const { place, none } = await backupsOfAddon(platform, from.addon);
    return fromCatalog(place, from.backup, given, none, task);
  }
  const place = placeIn(from.url);
  const secrets = withEnvironment(from.url, given);
  if (place.kind === "catalog") {
    const { destination, catalogKey } = place;
    const catalog = { name: catalogKey, destination, catalogKey };
    const none = () => Promise.resolve(noSuchCatalog(catalog));
    return fromCatalog(catalog, from.backup, secrets, none, task);
  }
  return (await vouchedFor(place, secrets, task)) ?? loneArchive(from.url, place, secrets, task);
}

async function fromCatalog(
  place: BackupPlace,
  wanted: string,
  secrets: RestoreSecrets,
  none: () => Promise<Failure>,
  task: Asking,
): Promise<ResolvedRestore> {
  const opened = withCredentials(place, secrets);
  const store = await openPlace(opened);
  const chosen = await chooseBackup(store, place.catalogKey, wanted, task);
  if (chosen === undefined) throw await none();
  const passedOver = chosen.passedOver.map(({ slot, why }) => `the newer backup ${slot} ${why}`);
  return { ...(await resolved(opened, store.url, chosen.found, secrets)), passedOver };
}

/** An archive that its manifest lies beside; undefined where none does. */
async function vouchedFor(
  { within, slot, file }: Extract<RestorePlace, { kind: "archive" }>,
  secrets: RestoreSecrets,
  task: Asking,
): Promise<ResolvedRestore | undefined> {
  if (within === undefined || slot === undefined) return undefined;
  const place = withCredentials({ name: within.catalogKey, ...within }, secrets);
  const store = await openPlace(place);
  const found = await backupOfSlot(store, within.catalogKey, slot, task);
  return found?.manifest.archive.name === file ? resolved(place, store.url, found, secrets) : undefined;
}

async function resolved(
  { destination, catalogKey, credentials, passphrase }: BackupPlace,
  storeUrl: string,
  { manifest, verification }: FoundBackup,
  { key: given, keyFor }: RestoreSecrets,
): Promise<ResolvedRestore> {
  const { slot } = manifest;
  const subject = `from backup ${slot} in ${storeUrl}/${catalogKey}`;
  const key = await keyOf(manifest.encryption, { key: given, passphrase, keyFor }, subject);
  return {
    source: {
      ...{ kind: "backup", destination, catalogKey, slot },
      ...(credentials === undefined ? {} : { credentials }),
      ...(key === undefined ? {} : { key }),
    },
    backup: slot,
    archive: `${storeUrl}/${catalogKey}/${manifest.archive.name}`,
    manifest,
    ...(verification === undefined ? {} : { verification }),
    passedOver: [],
  };
}

/**
 * What fetches the archive may be another process, which is given no keys by its environment: whoever finds a backup with
 * keys of this one's has to hand them on.
 */
function withEnvironment(url: string, secrets: RestoreSecrets): RestoreSecrets {
  if (secrets.credentials !== undefined || parseDestination(url).kind !== "s3") return secrets;
  return { ...secrets, credentials: environmentKeys() };
}

function withCredentials(place: BackupPlace, { credentials }: RestoreSecrets): BackupPlace {
  return credentials === undefined ? place : { ...place, credentials };
}

function placeIn(url: string): RestorePlace {
  const place = parseRestoreUrl(url);
  if (place.kind !== "fault") return place;
  const { cause, hint } = place;
  throw new Failure({
    code: "unsupported-destination",
    operation: "restore from",
    subject: "the URL that was given",
    cause,
    hint,
  });
}
