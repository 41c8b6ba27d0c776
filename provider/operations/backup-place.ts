import { Failure } from "../core/errors";
import { forShell } from "../core/for-shell";
import type { StoreCredentials } from "../core/store-credentials";
import type { Platform } from "../platforms/contract";
import type { Store } from "../stores/contract";
import { noSuchAddon } from "./no-such-addon";

/** Whose backups are meant: an add-on's by its name, or a catalog of any store by the store's URL. */
export type BackupsOf =
  | { readonly kind: "addon"; readonly platform: Platform; readonly name: string }
  | { readonly kind: "store"; readonly url: string; readonly name: string };

/** Where a catalog lies, and what opens it. */
export interface BackupPlace {
  /** As messages call it. */
  readonly name: string;
  readonly destination: string;
  readonly catalogKey: string;
  /** Absent: what the environment and the user's files say. */
  readonly credentials?: StoreCredentials;
  /** What its archives are encrypted with, where the platform keeps that. */
  readonly passphrase?: string;
}

const DELETED =
  "Backups of one that was deleted are found by their store: redis-addon backup list --store <URL>";

/** Where these backups lie; `no-such-addon` where there is no add-on of that name. Looks into no store. */
export async function placeOf(backups: BackupsOf): Promise<BackupPlace> {
  if (backups.kind === "store")
    return { name: backups.name, destination: backups.url, catalogKey: backups.name };
  const placement = await backups.platform.placement(backups.name);
  if (placement === undefined) throw await noSuchAddon(backups.platform, backups.name, DELETED);
  const { record, destination } = placement;
  const { credentials, encryption } = record.backups?.wish ?? {};
  return {
    name: record.name,
    destination,
    catalogKey: record.catalogKey,
    ...(credentials === undefined ? {} : { credentials }),
    ...(encryption !== undefined && "passphrase" in encryption ? { passphrase: encryption.passphrase } : {}),
  };
}

/** Without credentials: by what the environment and the user's files say. */
export async function openPlace({
  destination,
  credentials,
}: {
  readonly destination: string;
  readonly credentials?: StoreCredentials | undefined;
}): Promise<Store> {
  const { openStore } = await import("../stores/open.js");
  return openStore(destination, credentials);
}

/** Nothing in the store is called like this: most likely a typing error, so it is no empty catalog. */
export function noSuchCatalog({ name, destination }: BackupPlace): Failure {
  return new Failure({
    code: "no-such-catalog",
    operation: "find the backups of",
    subject: name,
    cause: `there are none in ${destination}`,
    hint: `See what there is: redis-addon backup list --store ${forShell(destination)}`,
  });
}
