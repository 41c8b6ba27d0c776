import type { ListedBackup } from "../../backup/catalog";
import { Failure } from "../../core/errors";
import type { Manifest } from "../../core/manifest";
import type { Task } from "../../core/task";
import type { Verification } from "../../core/verification";
import type { Store } from "../../stores/contract";

/** A backup of a catalog from which data can be restored, as far as its catalog tells. */
export interface FoundBackup {
  readonly manifest: Manifest;
  /** What was found when somebody last looked at it; absent: nobody has. */
  readonly verification?: Verification;
}

/** A backup that `latest` doesn't mean. */
interface PassedOver {
  readonly slot: string;
  /** The rest of a sentence that begins with it. */
  readonly why: string;
}

interface Damaged {
  readonly slot: string;
  readonly damage: string;
}

type Asking = Pick<Task, "signal">;
type Read = ({ readonly found: FoundBackup } | { readonly damage: string }) & { readonly slot: string };

/**
 * The backup that somebody means; `latest` and `latest-verified` mean the newest one that isn't damaged, and that isn't
 * of data which were about to be replaced: whoever tries a restore again would get what it was to replace. Undefined for
 * an empty catalog. Fails with `no-such-backup`, `ambiguous-backup`, `backup-damaged`.
 */
export async function chooseBackup(
  store: Store,
  catalogKey: string,
  wanted: string,
  task: Asking,
): Promise<{ readonly found: FoundBackup; readonly passedOver: readonly PassedOver[] } | undefined> {
  const { readCatalog } = await import("../../backup/catalog.js");
  const { findBackup } = await import("../../backup/find-backup.js");
  const folder = `${store.url}/${catalogKey}`;
  const catalog = await readCatalog(store, catalogKey, task.signal);
  if (catalog.backups.length === 0) return undefined;
  const newest = findBackup(catalog, wanted, folder);
  const candidates =
    wanted === "latest"
      ? catalog.backups
      : wanted === "latest-verified"
        ? catalog.backups.filter(({ verification }) => verification === "verified")
        : [newest];
  const isNamed = wanted === "latest" || wanted === "latest-verified" ? undefined : newest;
  const passedOver: PassedOver[] = [];
  const damaged: Damaged[] = [];
  let safety: FoundBackup | undefined;
  for (const listed of candidates.toReversed()) {
    const read = await readBackup(store, catalogKey, listed, task);
    const { slot } = read;
    if ("damage" in read) {
      damaged.push(read);
      passedOver.push({ slot, why: `is passed over, because it is damaged: ${read.damage}` });
    } else if (isNamed === undefined && read.found.manifest.purpose === "safety") {
      safety ??= read.found;
      passedOver.push({ slot, why: "is passed over: it holds what was there before data were replaced" });
    } else return { found: read.found, passedOver };
  }
  // There is nothing else.
  if (safety !== undefined) return { found: safety, passedOver: [] };
  throw unsound(wanted, folder, damaged);
}

/** The backup of one slot; undefined where there is none. Fails with `backup-damaged`. */
export async function backupOfSlot(
  store: Store,
  catalogKey: string,
  slot: string,
  task: Asking,
): Promise<FoundBackup | undefined> {
  const { readListed } = await import("../../backup/catalog.js");
  const listed = await readListed(store, catalogKey, slot, task.signal);
  if (listed === undefined) return undefined;
  const read = await readBackup(store, catalogKey, listed, task);
  if ("found" in read) return read.found;
  throw unsound(slot, `${store.url}/${catalogKey}`, [read]);
}

async function readBackup(
  store: Store,
  catalogKey: string,
  listed: ListedBackup,
  { signal }: Asking,
): Promise<Read> {
  const { readManifest } = await import("../../backup/catalog.js");
  const { readVerification } = await import("../../backup/verify/record.js");
  const slot = listed.name;
  let manifest: Manifest;
  try {
    manifest = await readManifest(store, catalogKey, slot, signal);
  } catch (error) {
    // One that a newer version wrote may be sound: what is older than it must not be taken for the newest.
    if (error instanceof Failure && ["manifest-damaged", "not-found"].includes(error.code))
      return { slot, damage: `its manifest can't be used: ${error.cause}` };
    throw error;
  }
  const { name, sizeBytes } = manifest.archive;
  const stored = listed.archives.find(({ key }) => key.endsWith(`/${name}`));
  if (stored === undefined) return { slot, damage: `its archive ${name} is gone` };
  if (stored.sizeBytes !== sizeBytes)
    return { slot, damage: `its archive has ${stored.sizeBytes} bytes instead of ${sizeBytes}` };
  const { verification: outcome } = listed;
  const told = outcome && (await readVerification(store, catalogKey, slot, outcome, signal));
  // One of another archive was left by an earlier backup of this slot.
  const verification = told?.archive === name ? told : undefined;
  if (outcome === "damaged" && (told === undefined || verification !== undefined))
    return { slot, damage: verification?.why ?? "it was found damaged" };
  return { slot, found: { manifest, ...(verification === undefined ? {} : { verification }) } };
}

function unsound(wanted: string, folder: string, damaged: readonly Damaged[]): Failure {
  const [newest, ...others] = damaged;
  return new Failure({
    code: "backup-damaged",
    operation: "restore",
    subject: `backup ${wanted} in ${folder}`,
    cause:
      others.length === 0
        ? `${newest?.slot} is damaged: ${newest?.damage}`
        : `all ${damaged.length} of them are damaged; ${newest?.slot}: ${newest?.damage}`,
    hint: "See what else there is: redis-addon backup list",
  });
}
