import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { asFailure } from "../core/errors";
import { holdKey } from "../core/manifest";
import type { Task } from "../core/task";
import type { Store } from "../stores/contract";
import { readCatalog, readListed } from "./catalog";
import { noSuchBackup } from "./find-backup";

/** A hold that is not renewed for a day counts for nothing: so many renewals may fail in a row. */
const RENEW_EVERY_MS = 60 * 60_000;
/** The task's own signal may be what ends the restore, so letting go has one of its own. */
const LET_GO_MS = 30_000;

interface Hold extends AsyncDisposable {
  /** Why the backup could not be held, which need not keep anybody from reading it; absent: it is held. */
  readonly warning?: string;
  /**
   * Has it held for a day from now on, also once this is disposed of, and returns the key to delete when it need not be
   * any more; absent: it is not held.
   */
  keep(): Promise<string | undefined>;
}

/**
 * Keeps a backup from every pruning and deletion while it is read, until it is disposed of; a holder that dies keeps it
 * for a day. Of a store that may only be read, or is full, it gives a warning instead. Fails with `no-such-backup`.
 */
export async function holdBackup(store: Store, catalogKey: string, slot: string, task: Task): Promise<Hold> {
  const { signal, clock } = task;
  const key = holdKey(catalogKey, slot, randomBytes(6).toString("hex"));
  const put = (until: AbortSignal) => {
    const body = `${JSON.stringify({ format: 1, at: new Date(clock.now()).toISOString() })}\n`;
    return store.put(key, Readable.from([Buffer.from(body)], { objectMode: false }), { signal: until });
  };
  const letGo = () => store.delete(key, AbortSignal.timeout(LET_GO_MS)).catch(() => undefined);
  const mustExist = async () => {
    if ((await readListed(store, catalogKey, slot, signal)) === undefined)
      throw noSuchBackup(
        "hold",
        slot,
        `${store.url}/${catalogKey}`,
        await readCatalog(store, catalogKey, signal),
      );
  };
  await mustExist();
  try {
    await put(signal);
  } catch (error) {
    // A put whose answer was lost may have worked.
    await letGo();
    signal.throwIfAborted();
    const { cause } = asFailure(error, "hold", slot);
    return {
      warning: `backup ${slot} could not be held against its removal while it is read: ${cause}`,
      keep: async () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    };
  }
  try {
    // A pruning that looked before it was held may have removed it meanwhile.
    await mustExist();
  } catch (error) {
    await letGo();
    throw error;
  }
  const ended = new AbortController();
  const renewing = renew(put, AbortSignal.any([signal, ended.signal]), clock);
  let isKept = false;
  return {
    async keep() {
      // What can't be renewed now was renewed an hour ago at most.
      await put(signal).catch(() => signal.throwIfAborted());
      isKept = true;
      return key;
    },
    async [Symbol.asyncDispose]() {
      ended.abort();
      // One that is under way must not put it again behind the deletion.
      await renewing;
      if (!isKept) await letGo();
    },
  };
}

async function renew(
  put: (signal: AbortSignal) => Promise<unknown>,
  signal: AbortSignal,
  clock: Task["clock"],
): Promise<void> {
  while (!signal.aborted) {
    const slept = await clock.sleep(RENEW_EVERY_MS, signal).then(
      () => true,
      () => false,
    );
    // What fails now may go well an hour later.
    if (slept) await put(signal).catch(() => undefined);
  }
}
