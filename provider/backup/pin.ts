import { Readable } from "node:stream";
import { z } from "zod";
import { pinKey } from "../core/manifest";
import type { Task } from "../core/task";
import type { Store } from "../stores/contract";
import { readCatalog, readListed } from "./catalog";
import { noSuchBackup } from "./find-backup";
import { readBeside } from "./read-beside";

/** What lies beside a pinned backup. That it is there is what counts: an empty one, made by hand, pins as well. */
const PinSchema = z.looseObject({
  format: z.literal(1),
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
  /** Why, in the user's words. */
  note: z.string().optional(),
});
export type Pin = z.infer<typeof PinSchema>;

/** Keeps a backup from every pruning and deletion until it is unpinned; a note replaces an earlier one. */
export async function pinBackup(
  store: Store,
  catalogKey: string,
  slot: string,
  note: string | undefined,
  task: Task,
): Promise<Pin> {
  const { signal } = task;
  const exists = async () => (await readListed(store, catalogKey, slot, signal)) !== undefined;
  const missing = async () =>
    noSuchBackup("pin", slot, `${store.url}/${catalogKey}`, await readCatalog(store, catalogKey, signal));
  if (!(await exists())) throw await missing();
  const pin: Pin = {
    format: 1,
    at: new Date(task.clock.now()).toISOString(),
    ...(note === undefined ? {} : { note }),
  };
  const body = Buffer.from(`${JSON.stringify(pin)}\n`);
  await store.put(pinKey(catalogKey, slot), Readable.from([body], { objectMode: false }), { signal });
  // A pruning that looked before it was pinned may have removed it meanwhile.
  if (await exists()) return pin;
  await store.delete(pinKey(catalogKey, slot), signal);
  throw await missing();
}

/** Leaves a backup to its retention again. One that is not pinned, or not there, is success. */
export async function unpinBackup(
  store: Store,
  catalogKey: string,
  slot: string,
  task: Pick<Task, "signal">,
): Promise<void> {
  await store.delete(pinKey(catalogKey, slot), task.signal);
}

/** What a pin says; undefined where there is none, or one that says nothing. */
export async function readPin(
  store: Store,
  catalogKey: string,
  slot: string,
  signal: AbortSignal,
): Promise<Pin | undefined> {
  return readBeside(store, pinKey(catalogKey, slot), PinSchema, signal);
}
