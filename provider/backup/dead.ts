import type { StoredObject } from "../stores/contract";

/**
 * Nothing that is alive leaves an object as it is for so long: an archive is stored whole at once and its manifest
 * follows, a restore renews its hold each hour.
 */
const DEAD_AFTER_MS = 24 * 60 * 60_000;

/** Whether whoever wrote an object that waits for something is surely gone; `storeTime` is the store's own clock. */
export function isDead({ modifiedAt }: Pick<StoredObject, "modifiedAt">, storeTime: number): boolean {
  return storeTime - modifiedAt > DEAD_AFTER_MS;
}

/** Whether a restore reads a backup; one whose hold was not renewed for a day has died. */
export function isHeld({ holds }: { readonly holds: readonly StoredObject[] }, storeTime: number): boolean {
  return holds.some((hold) => !isDead(hold, storeTime));
}
