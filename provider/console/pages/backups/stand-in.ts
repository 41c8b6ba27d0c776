import type { Manifest } from "../../../core/manifest";
import type { BackupPlace } from "../../../operations/backup-place";
import type { RestoreWish } from "../../../operations/restore";
import { wantsKey } from "./key-field";

/** For a preview, which opens nothing: some key in place of the one that the form below it asks for. */
export function standIn(
  manifest: Pick<Manifest, "encryption">,
  place: Pick<BackupPlace, "passphrase">,
): RestoreWish["secrets"] {
  if (!wantsKey(manifest, place)) return {};
  const isPassphrase = manifest.encryption?.recipients === undefined;
  return { key: isPassphrase ? { passphrase: "asked for later" } : { identities: ["asked for later"] } };
}
