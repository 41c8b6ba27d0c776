import { rm, utimes } from "node:fs/promises";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { readCatalog, readManifest } from "../../provider/backup/catalog";
import { prune } from "../../provider/backup/prune";
import { formatSlot } from "../../provider/core/slot";
import type { Store } from "../../provider/stores/contract";
import { systemClock } from "../../provider/system/clock";
import { names, task, temporaryStore } from "./backup-support";

const never = new AbortController().signal;
const KEY = "cache-1";
const ADDON = { catalogKey: KEY, createdAt: "2020-01-01T00:00:00.000Z" };
const DAY = 86_400_000;
const NOW = Date.now();
const SHA = "0".repeat(64);
const daysAgo = (days: number) => formatSlot(NOW - days * DAY);

const put = (store: Store, name: string, content: unknown) =>
  store.put(`${KEY}/${name}`, Readable.from([Buffer.from(JSON.stringify(content))], { objectMode: false }), {
    signal: never,
  });

async function backup(store: Store, slot: string, attempt = "a"): Promise<void> {
  await put(store, `${slot}-${attempt}.tar.gz`, "data");
  await put(store, `${slot}.json`, {
    format: 1,
    addon: { name: "cache", catalogKey: KEY },
    slot,
    reason: "scheduled",
    archive: { name: `${slot}-${attempt}.tar.gz`, sizeBytes: 6, sha256: SHA },
    files: [],
    takenAt: new Date(NOW).toISOString(),
    finishedAt: new Date(NOW).toISOString(),
    replication: { id: "x", offset: 1 },
    server: { name: "redis", version: "7.0.15" },
    rdb: { magic: "REDIS0010", version: 10, sizeBytes: 1 },
  });
}

const at = (now: number) => task({ clock: { ...systemClock, now: () => now } });
const slots = async (store: Store) => (await readCatalog(store, KEY, never)).backups.map(({ name }) => name);

test("old backups go with all that belongs to them, pinned ones stay", async () => {
  await using opened = await temporaryStore();
  const { store } = opened;
  for (const days of [10, 9, 8, 1]) await backup(store, daysAgo(days));
  await put(store, `${daysAgo(10)}.checked.json`, {});
  await put(store, `${daysAgo(9)}.pin`, {});
  await put(store, "notes of a stranger.txt".replaceAll(" ", "-"), "hello");
  const { removed, failure } = await prune(store, ADDON, { days: 7, minimum: 1 }, at(NOW));
  expect({ removed, failure }).toEqual({ removed: [daysAgo(10), daysAgo(8)], failure: undefined });
  expect(await names(store)).toEqual(
    [
      `${daysAgo(9)}-a.tar.gz`,
      `${daysAgo(9)}.json`,
      `${daysAgo(9)}.pin`,
      `${daysAgo(1)}-a.tar.gz`,
      `${daysAgo(1)}.json`,
      "notes-of-a-stranger.txt",
    ].map((name) => `${KEY}/${name}`),
  );
});

test("a manifest without its archive does not count as the newest: the last good backup stays", async () => {
  await using opened = await temporaryStore();
  const { store } = opened;
  await backup(store, daysAgo(20));
  await backup(store, daysAgo(1));
  await store.delete(`${KEY}/${daysAgo(1)}-a.tar.gz`, never);
  expect((await prune(store, ADDON, { days: 7, minimum: 1 }, at(NOW))).removed).toEqual([]);
  expect(await slots(store)).toEqual([daysAgo(20), daysAgo(1)]);
});

test.each([
  ["manifest", ".json"],
  ["archive", "-a.tar.gz"],
])(
  "a backup whose %s was damaged since it was verified does not cost the last one that is good",
  async (_what, ending) => {
    await using opened = await temporaryStore();
    const { store } = opened;
    for (const days of [20, 10, 1]) await backup(store, daysAgo(days));
    for (const days of [20, 10]) await put(store, `${daysAgo(days)}.verified.json`, {});
    await store.put(`${KEY}/${daysAgo(10)}${ending}`, Readable.from([Buffer.from("?")]), { signal: never });
    expect(await prune(store, ADDON, { keepLast: 1 }, at(NOW))).toEqual({ removed: [], failure: undefined });
    expect(await slots(store)).toEqual([daysAgo(20), daysAgo(10), daysAgo(1)]);
  },
);

test("an archive without a manifest goes once it is surely dead, not while it may still get one", async () => {
  await using opened = await temporaryStore();
  const { store } = opened;
  await backup(store, daysAgo(2), "winner");
  for (const name of [
    `${daysAgo(2)}-loser.tar.gz`,
    `${daysAgo(3)}-young.tar.gz`,
    `${daysAgo(3)}-dead.tar.gz`,
  ]) {
    await put(store, name, "data");
    if (!name.includes("young"))
      await utimes(new URL(`${opened.url}/${KEY}/${name}`), 0, (NOW - 25 * 3_600_000) / 1000);
  }
  expect(await slots(store)).toEqual([daysAgo(2)]);
  expect((await prune(store, ADDON, { days: 7 }, at(NOW))).failure).toBeUndefined();
  expect(await names(store)).toEqual([
    `${KEY}/${daysAgo(3)}-young.tar.gz`,
    `${KEY}/${daysAgo(2)}-winner.tar.gz`,
    `${KEY}/${daysAgo(2)}.json`,
  ]);
});

test("a removal that fails half-way leaves no manifest without its archive, is told, and does not stop the others", async () => {
  await using opened = await temporaryStore();
  for (const days of [10, 9, 1]) await backup(opened.store, daysAgo(days));
  const store: Store = {
    ...opened.store,
    delete: (key, signal) =>
      key === `${KEY}/${daysAgo(10)}-a.tar.gz`
        ? Promise.reject(new Error("a loose cable"))
        : opened.store.delete(key, signal),
  };
  const { removed, failure } = await prune(store, ADDON, { days: 7, minimum: 1 }, at(NOW));
  expect(removed).toEqual([daysAgo(9)]);
  expect(failure).toMatchObject({ cause: "a loose cable", subject: daysAgo(10) });
  expect(await slots(opened.store)).toEqual([daysAgo(1)]);
  const { orphans } = await readCatalog(opened.store, KEY, never);
  expect(orphans.map(({ key }) => key)).toEqual([`${KEY}/${daysAgo(10)}-a.tar.gz`]);
});

test("a clock that is days behind or years ahead removes no backup that the newest rule keeps", async () => {
  await using opened = await temporaryStore();
  for (const days of [4, 3, 2, 1]) await backup(opened.store, daysAgo(days));
  expect((await prune(opened.store, ADDON, { keepLast: 1 }, at(NOW - 10 * DAY))).removed).toEqual([]);
  expect((await prune(opened.store, ADDON, { days: 7 }, at(NOW + 3_650 * DAY))).removed).toEqual([
    daysAgo(4),
  ]);
  expect(await slots(opened.store)).toEqual([daysAgo(3), daysAgo(2), daysAgo(1)]);
});

test("what an earlier add-on of the name left stays, its final backup above all", async () => {
  await using opened = await temporaryStore();
  for (const days of [30, 20, 10, 5, 1]) await backup(opened.store, daysAgo(days));
  const reborn = { catalogKey: KEY, createdAt: new Date(NOW - 15 * DAY).toISOString() };
  const { removed } = await prune(opened.store, reborn, { keepLast: 1 }, at(NOW));
  expect(removed).toEqual([daysAgo(10), daysAgo(5)]);
  expect(await slots(opened.store)).toEqual([daysAgo(30), daysAgo(20), daysAgo(1)]);
});

test("a long one tells how far it is, so that a slow store does not look like a job that hangs", async () => {
  await using opened = await temporaryStore();
  for (let count = 0; count < 101; count++) await backup(opened.store, formatSlot(NOW - DAY + count));
  const pruning = at(NOW);
  expect((await prune(opened.store, ADDON, { keepLast: 1 }, pruning)).removed).toHaveLength(100);
  expect(pruning.told.map(({ message }) => message)).toEqual([
    "removed 50 backups that are no longer kept",
    "removed 100 backups that are no longer kept",
  ]);
});

test("a manifest that cannot be read is not removed blindly, and is named", async () => {
  await using opened = await temporaryStore();
  await backup(opened.store, daysAgo(10));
  await backup(opened.store, daysAgo(1));
  await put(opened.store, `${daysAgo(10)}.json`, { format: 2 });
  const { removed, failure } = await prune(opened.store, ADDON, { days: 7, minimum: 1 }, at(NOW));
  expect(removed).toEqual([]);
  expect(failure).toMatchObject({ code: "unreadable-manifest", cause: expect.stringContaining("format") });
  expect(await slots(opened.store)).toHaveLength(2);
});

test("a catalog that nobody wrote to is empty, and a manifest that is missing is not found", async () => {
  await using opened = await temporaryStore();
  await rm(new URL(opened.url), { recursive: true });
  expect(await readCatalog(opened.store, KEY, never)).toMatchObject({ backups: [], orphans: [] });
  await expect(readManifest(opened.store, KEY, daysAgo(1), never)).rejects.toMatchObject({
    code: "not-found",
  });
});

test("what a removed backup left beside it goes once it is surely dead", async () => {
  await using opened = await temporaryStore();
  const { store } = opened;
  await backup(store, daysAgo(1));
  for (const [days, ending] of [
    [9, "pin"],
    [9, "verified.json"],
    [8, "damaged.json"],
  ] as const) {
    await put(store, `${daysAgo(days)}.${ending}`, {});
    if (days === 9)
      await utimes(
        new URL(`${opened.url}/${KEY}/${daysAgo(days)}.${ending}`),
        0,
        (NOW - 25 * 3_600_000) / 1000,
      );
  }
  expect((await prune(store, ADDON, { days: 7 }, at(NOW))).failure).toBeUndefined();
  expect(await names(store)).toEqual(
    [`${daysAgo(8)}.damaged.json`, `${daysAgo(1)}-a.tar.gz`, `${daysAgo(1)}.json`].map(
      (name) => `${KEY}/${name}`,
    ),
  );
});

test("a clock here that is years ahead does not make what another machine is storing look dead", async () => {
  await using opened = await temporaryStore();
  const { store } = opened;
  await backup(store, daysAgo(1));
  await put(store, `${daysAgo(0)}-uploading.tar.gz`, "data");
  await prune(store, ADDON, { days: 7 }, at(NOW + 3_650 * DAY));
  expect(await names(store)).toContain(`${KEY}/${daysAgo(0)}-uploading.tar.gz`);
});

test("the newest verified backup stays, and damaged ones keep no place from good ones", async () => {
  await using opened = await temporaryStore();
  const { store } = opened;
  for (const days of [30, 20, 10, 3, 2, 1]) await backup(store, daysAgo(days));
  for (const days of [30, 20]) await put(store, `${daysAgo(days)}.verified.json`, {});
  for (const days of [10, 2, 1]) await put(store, `${daysAgo(days)}.damaged.json`, {});
  const { removed } = await prune(store, ADDON, { keepLast: 1 }, at(NOW));
  expect(removed).toEqual([daysAgo(30), daysAgo(10)]);
  expect(await slots(store)).toEqual([daysAgo(20), daysAgo(3), daysAgo(2), daysAgo(1)]);
});
