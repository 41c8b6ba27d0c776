import { utimes } from "node:fs/promises";
import { expect, test } from "vitest";
import { readListed } from "../../provider/backup/catalog";
import { deleteBackup } from "../../provider/backup/delete-backup";
import { holdBackup } from "../../provider/backup/hold";
import { Failure } from "../../provider/core/errors";
import type { Store } from "../../provider/stores/contract";
import { systemClock } from "../../provider/system/clock";
import { until } from "../support/redis-server";
import { names, task, temporaryStore } from "./backup-support";
import { CATALOG, put } from "./verify-support";

const never = new AbortController().signal;
const SLOT = "20260501T030000000Z";
const HOUR_MS = 3_600_000;

async function opened() {
  const given = await temporaryStore();
  await put(given.store, `${CATALOG}/${SLOT}-a.tar.gz`, "data");
  await put(given.store, `${CATALOG}/${SLOT}.json`, "no manifest");
  return given;
}

const holdsIn = async (store: Store) => (await names(store)).filter((name) => name.includes(".restoring-"));
const deleting = (store: Store) => deleteBackup(store, CATALOG, SLOT, { evenDamaged: true }, task());

test("a backup that is held is listed so, is not deleted, and is free again afterwards", async () => {
  await using given = await opened();
  const { store } = given;
  {
    await using one = await holdBackup(store, CATALOG, SLOT, task());
    await using other = await holdBackup(store, CATALOG, SLOT, task());
    expect([one.warning, other.warning]).toEqual([undefined, undefined]);
    expect(await readListed(store, CATALOG, SLOT, never)).toMatchObject({ held: true, pinned: false });
    await expect(deleting(store)).rejects.toMatchObject({
      code: "being-restored",
      cause: "a restore reads it at this moment",
    });
    expect(await holdsIn(store)).toHaveLength(2);
  }
  expect(await holdsIn(store)).toEqual([]);
  expect(await readListed(store, CATALOG, SLOT, never)).toMatchObject({ held: false });
  await deleting(store);
  expect(await names(store)).toEqual([]);
});

test("a holder that died a day ago, by the store's clock, keeps nobody from deleting, and goes as well", async () => {
  await using given = await opened();
  const { store } = given;
  const hold = `${CATALOG}/${SLOT}.restoring-dead`;
  await put(store, hold, "{}");
  const dated = (hoursAgo: number) =>
    utimes(new URL(`${given.url}/${hold}`), 0, (Date.now() - hoursAgo * HOUR_MS) / 1000);
  await dated(23);
  await expect(deleting(store)).rejects.toMatchObject({ code: "being-restored" });
  await dated(25);
  await deleting(store);
  expect(await names(store)).toEqual([]);
});

test("a holder that died counts for nothing even where nothing was written since, and a listing can't tell", async () => {
  await using given = await opened();
  const { store } = given;
  await put(store, `${CATALOG}/${SLOT}.restoring-dead`, "{}");
  for (const name of await names(store))
    await utimes(new URL(`${given.url}/${name}`), 0, (Date.now() - 25 * HOUR_MS) / 1000);
  expect(await readListed(store, CATALOG, SLOT, never)).toMatchObject({ held: true });
  // Neither a clock here that is years behind nor one that is ahead decides.
  const behind = { clock: { ...systemClock, now: () => Date.now() - 1_000 * HOUR_MS } };
  await expect(deleteBackup(store, CATALOG, SLOT, { evenDamaged: true }, task(behind))).rejects.toMatchObject(
    { code: "being-restored" },
  );
  await deleting(store);
  expect(await names(store)).toEqual([]);
});

test("a long restore goes on holding it", async () => {
  await using given = await opened();
  const { store } = given;
  let hours = 0;
  const clock = {
    ...systemClock,
    sleep: async (ms: number, signal?: AbortSignal) => {
      if ((hours += ms / HOUR_MS) > 3) await systemClock.sleep(60_000, signal);
    },
  };
  let puts = 0;
  const counting: Store = {
    ...store,
    put: async (...args) => {
      // The second renewal fails.
      if (++puts === 3) throw new Error("a loose cable");
      return store.put(...args);
    },
  };
  {
    await using _hold = await holdBackup(counting, CATALOG, SLOT, task({ clock }));
    await until("three renewals", () => puts === 4);
  }
  expect(await holdsIn(store)).toEqual([]);
});

test("one that is not there, or is removed at that moment, is not held, and nothing is left beside it", async () => {
  await using given = await opened();
  const { store } = given;
  await expect(holdBackup(store, CATALOG, "20300101T000000000Z", task())).rejects.toMatchObject({
    code: "no-such-backup",
    operation: "hold",
    hint: expect.stringContaining(SLOT),
  });
  await expect(holdBackup(store, "nobody-1", SLOT, task())).rejects.toMatchObject({ code: "no-such-backup" });
  const racing: Store = {
    ...store,
    put: async (...args) => {
      await store.delete(`${CATALOG}/${SLOT}.json`, never);
      return store.put(...args);
    },
  };
  await expect(holdBackup(racing, CATALOG, SLOT, task())).rejects.toMatchObject({ code: "no-such-backup" });
  expect(await names(store)).toEqual([`${CATALOG}/${SLOT}-a.tar.gz`]);
});

test("a store that may only be read gives a warning, and the restore goes on", async () => {
  await using given = await opened();
  const cause = "the file system is read-only";
  const readOnly = () =>
    Promise.reject(new Failure({ code: "forbidden", operation: "write", subject: "file:///x", cause }));
  const store: Store = { ...given.store, put: readOnly, delete: readOnly };
  await using hold = await holdBackup(store, CATALOG, SLOT, task());
  expect(hold.warning).toBe(
    `backup ${SLOT} could not be held against its removal while it is read: ${cause}`,
  );
});

test("a restore that is told to stop lets go, and one that was told before holds nothing", async () => {
  await using given = await opened();
  const abort = new AbortController();
  const reason = new Error("told to stop");
  {
    await using _hold = await holdBackup(given.store, CATALOG, SLOT, task({ signal: abort.signal }));
    abort.abort(reason);
  }
  expect(await holdsIn(given.store)).toEqual([]);
  await expect(holdBackup(given.store, CATALOG, SLOT, task({ signal: abort.signal }))).rejects.toBe(reason);
  expect(await holdsIn(given.store)).toEqual([]);
});
