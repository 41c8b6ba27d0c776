import { mkdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readCatalog, readManifest } from "../../provider/backup/catalog";
import { pinBackup } from "../../provider/backup/pin";
import { plannedRemovals } from "../../provider/backup/planned-removals";
import { prune } from "../../provider/backup/prune";
import { Failure } from "../../provider/core/errors";
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

const manifestOf = (slot: string, attempt: string) => ({
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

async function backup(store: Store, slot: string, attempt = "a"): Promise<void> {
  await put(store, `${slot}-${attempt}.tar.gz`, "data");
  await put(store, `${slot}.json`, manifestOf(slot, attempt));
}

/** So many at once, a millisecond apart, beginning a day ago. */
async function layOut(url: string, count: number): Promise<void> {
  const folder = join(fileURLToPath(url), KEY);
  await mkdir(folder);
  for (let n = 0; n < count; n++) {
    const slot = formatSlot(NOW - DAY + n);
    await writeFile(join(folder, `${slot}-a.tar.gz`), '"data"');
    await writeFile(join(folder, `${slot}.json`), JSON.stringify(manifestOf(slot, "a")));
  }
}

const at = (now: number) => task({ clock: { ...systemClock, now: () => now } });
/** As if these had been written more than a day ago. */
const age = async (url: string, ...keys: readonly string[]) => {
  for (const key of keys) await utimes(new URL(`${url}/${key}`), 0, (NOW - 25 * 3_600_000) / 1000);
};
const slots = async (store: Store) => (await readCatalog(store, KEY, never)).backups.map(({ name }) => name);

test("old backups go with all that belongs to them, pinned ones stay", async () => {
  await using opened = await temporaryStore();
  const { store } = opened;
  for (const days of [10, 9, 8, 1]) await backup(store, daysAgo(days));
  await put(store, `${daysAgo(10)}.checked.json`, {});
  await put(store, `${daysAgo(9)}.pin`, {});
  await put(store, "notes of a stranger.txt".replaceAll(" ", "-"), "hello");
  const { removed, failure } = await prune(store, ADDON, { days: 7, minimum: 1 }, undefined, at(NOW));
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
  expect((await prune(store, ADDON, { days: 7, minimum: 1 }, undefined, at(NOW))).removed).toEqual([]);
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
    expect(await prune(store, ADDON, { keepLast: 1 }, undefined, at(NOW))).toEqual({
      removed: [],
      failure: undefined,
    });
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
  expect((await prune(store, ADDON, { days: 7 }, undefined, at(NOW))).failure).toBeUndefined();
  expect(await names(store)).toEqual([
    `${KEY}/${daysAgo(3)}-young.tar.gz`,
    `${KEY}/${daysAgo(2)}-winner.tar.gz`,
    `${KEY}/${daysAgo(2)}.json`,
  ]);
});

test("a removal that fails half-way leaves no manifest without its archive, is told, and does not stop the others", async () => {
  await using opened = await temporaryStore();
  for (const days of [10, 9, 1]) await backup(opened.store, daysAgo(days));
  const cable = `${KEY}/${daysAgo(10)}-a.tar.gz`;
  const loose = new Failure({ code: "loose", operation: "remove", subject: cable, cause: "a loose cable" });
  const store: Store = {
    ...opened.store,
    deleteMany: async (keys, signal) => {
      const failed = keys.includes(cable) ? [{ key: cable, failure: loose }] : [];
      return [
        ...failed,
        ...(await opened.store.deleteMany(
          keys.filter((key) => key !== cable),
          signal,
        )),
      ];
    },
  };
  const { removed, failure } = await prune(store, ADDON, { days: 7 }, undefined, at(NOW));
  expect(removed).toEqual([daysAgo(9)]);
  expect(failure).toMatchObject({ cause: "a loose cable", subject: cable });
  expect(await slots(opened.store)).toEqual([daysAgo(1)]);
  const { orphans } = await readCatalog(opened.store, KEY, never);
  expect(orphans.map(({ key }) => key)).toEqual([cable]);
});

test("one that is cut off at any moment leaves only backups that are whole, and the next one completes it", async () => {
  const all = [12, 11, 10, 9, 2, 1].map(daysAgo);
  const laid = async (store: Store, url: string) => {
    for (const slot of all) {
      await backup(store, slot);
      await put(store, `${slot}.verified.json`, {});
    }
    await put(store, `${daysAgo(10)}.checked.json`, {});
    await put(store, `${daysAgo(10)}.restoring-dead`, {});
    await age(url, ...(await names(store)));
  };
  for (let cutAt = 1, cut = true; cut; cutAt++) {
    await using opened = await temporaryStore();
    const { store } = opened;
    await laid(store, opened.url);
    let left = cutAt;
    cut = false;
    const dying: Store = {
      ...store,
      async deleteMany(keys, signal) {
        const done = keys.slice(0, left);
        const failed = await store.deleteMany(done, signal);
        left -= done.length;
        cut ||= done.length < keys.length;
        if (cut) throw new Error("killed");
        return failed;
      },
    };
    await prune(dying, ADDON, { days: 7 }, undefined, at(NOW));
    const { backups, orphans } = await readCatalog(store, KEY, never);
    for (const { archives } of backups) expect(archives).toHaveLength(1);
    expect(orphans.filter(({ key }) => key.endsWith(".verified.json"))).toEqual([]);
    expect((await prune(store, ADDON, { days: 7 }, undefined, at(NOW))).failure).toBeUndefined();
    expect(await names(store)).toEqual(
      [2, 1].flatMap((days) =>
        ["-a.tar.gz", ".json", ".verified.json"].map((ending) => `${KEY}/${daysAgo(days)}${ending}`),
      ),
    );
  }
});

test("a clock that is days behind or years ahead removes no backup that the newest rule keeps", async () => {
  await using opened = await temporaryStore();
  for (const days of [4, 3, 2, 1]) await backup(opened.store, daysAgo(days));
  const pruned = async (now: number) =>
    (await prune(opened.store, ADDON, { days: 7 }, { every: "1d" }, at(now))).removed;
  expect(await pruned(NOW - 10 * DAY)).toEqual([]);
  const ahead = NOW + 3_650 * DAY;
  await backup(opened.store, formatSlot(ahead));
  expect(await pruned(ahead)).toEqual([]);
  // It goes on like that for longer than a day: now it is believed.
  for (const days of [1, 2]) await backup(opened.store, formatSlot(ahead + days * DAY));
  expect(await pruned(ahead + 2 * DAY)).toEqual([4, 3, 2, 1].map(daysAgo));
});

test("of what an earlier add-on of the name left, its final backup stays", async () => {
  await using opened = await temporaryStore();
  for (const days of [30, 20, 10, 5, 1]) await backup(opened.store, daysAgo(days));
  for (const days of [30, 20, 5]) await put(opened.store, `${daysAgo(days)}.verified.json`, {});
  const reborn = { catalogKey: KEY, createdAt: new Date(NOW - 15 * DAY).toISOString() };
  const { removed } = await prune(opened.store, reborn, { keepLast: 1 }, undefined, at(NOW));
  expect(removed).toEqual([daysAgo(30), daysAgo(10)]);
  expect(await slots(opened.store)).toEqual([daysAgo(20), daysAgo(5), daysAgo(1)]);
});

test("a long one tells how far it is, so that a slow store does not look like a job that hangs", async () => {
  await using opened = await temporaryStore();
  await layOut(opened.url, 1102);
  const pruning = at(NOW);
  expect((await prune(opened.store, ADDON, { keepLast: 1 }, undefined, pruning)).removed).toHaveLength(1101);
  const step = "removing backups that are no longer kept";
  expect(pruning.told.map(({ message }) => message)).toEqual([
    ...[step, step, step],
    "removed 1000 of 1101 backups that are no longer kept",
    ...[step, step, step],
  ]);
});

test("what is pinned or read by a restore while others are being removed stays", async () => {
  await using opened = await temporaryStore();
  const { store } = opened;
  await layOut(opened.url, 1004);
  const [pinned, held] = [1001, 1002].map((count) => formatSlot(NOW - DAY + count));
  let now = NOW;
  const touching: Store = {
    ...store,
    deleteMany: async (keys, signal) => {
      now += 60_000;
      await pinBackup(store, KEY, pinned ?? "", undefined, task());
      await put(store, `${held}.restoring-b`, {});
      return store.deleteMany(keys, signal);
    },
  };
  const pruning = task({ clock: { ...systemClock, now: () => now } });
  expect((await prune(touching, ADDON, { keepLast: 1 }, undefined, pruning)).removed).toHaveLength(1001);
  expect(await slots(store)).toEqual([pinned, held, formatSlot(NOW - DAY + 1003)]);
});

test.each([
  ["a thousand and more are asked for once where that was done a moment ago", 1102, 0, 0],
  ["and again where the listing took longer than that", 1102, 2_000, 2],
  ["fewer are asked for again in any case", 3, 0, 1],
])("%s", async (_, count, listingMs, looks) => {
  await using opened = await temporaryStore();
  await layOut(opened.url, count);
  let now = NOW;
  let looked = 0;
  const counting: Store = {
    ...opened.store,
    parts: async function* (prefix, signal) {
      yield* opened.store.parts(prefix, signal);
      now += listingMs;
    },
    keysBetween: (...given) => {
      looked++;
      return opened.store.keysBetween(...given);
    },
  };
  const pruning = task({ clock: { ...systemClock, now: () => now } });
  const { removed } = await prune(counting, ADDON, { keepLast: 1 }, undefined, pruning);
  expect(removed).toHaveLength(count - 1);
  expect(looked).toBe(looks);
});

test("what is pinned or held between the listing and the removal stays, however short that is", async () => {
  await using opened = await temporaryStore();
  const { store } = opened;
  for (const days of [12, 11, 10, 9, 1]) await backup(store, daysAgo(days));
  await put(store, `${daysAgo(9)}.restoring-dead`, {});
  await age(opened.url, `${KEY}/${daysAgo(9)}.restoring-dead`);
  let isListed = false;
  const touching: Store = {
    ...store,
    parts: async function* (prefix, signal) {
      yield* store.parts(prefix, signal);
      if (isListed) return;
      isListed = true;
      await pinBackup(store, KEY, daysAgo(12), undefined, task());
      await put(store, `${daysAgo(11)}.restoring-b`, {});
    },
  };
  const { removed, failure } = await prune(touching, ADDON, { days: 7 }, undefined, at(NOW));
  expect({ removed, failure }).toEqual({ removed: [daysAgo(10), daysAgo(9)], failure: undefined });
  expect(await slots(store)).toEqual([daysAgo(12), daysAgo(11), daysAgo(1)]);
  // A holder that seemed dead when it was listed has woken up since.
  for (const days of [10, 9]) await backup(store, daysAgo(days));
  await put(store, `${daysAgo(9)}.restoring-dead`, {});
  await age(opened.url, `${KEY}/${daysAgo(9)}.restoring-dead`);
  const waking: Store = {
    ...store,
    keysBetween: async (...given) => {
      await put(store, `${daysAgo(9)}.restoring-dead`, {});
      return store.keysBetween(...given);
    },
  };
  expect((await prune(waking, ADDON, { days: 7 }, undefined, at(NOW))).removed).toEqual([daysAgo(10)]);
});

test("what a restore reads stays until it ends, or its holder has been dead for a day", async () => {
  await using opened = await temporaryStore();
  const { store } = opened;
  for (const days of [12, 11, 10, 1]) await backup(store, daysAgo(days));
  await put(store, `${daysAgo(11)}.restoring-alive`, {});
  await put(store, `${daysAgo(11)}.restoring-dead`, {});
  await put(store, `${daysAgo(10)}.restoring-dead`, {});
  await put(store, `${daysAgo(1)}.restoring-dead`, {});
  await age(opened.url, ...(await names(store)).filter((name) => name.endsWith("-dead")));
  const plan = await plannedRemovals(store, ADDON, { days: 7 }, undefined, at(NOW));
  expect(plan.removals.map(({ slot }) => slot)).toEqual([daysAgo(12), daysAgo(10)]);
  expect(plan.kept[0]).toEqual({ slot: daysAgo(11), reasons: ["being restored"] });
  const { removed, failure } = await prune(store, ADDON, { days: 7 }, undefined, at(NOW));
  expect({ removed, failure }).toEqual({ removed: [daysAgo(12), daysAgo(10)], failure: undefined });
  expect((await names(store)).filter((name) => name.includes("restoring"))).toEqual([
    `${KEY}/${daysAgo(11)}.restoring-alive`,
  ]);
});

test("what would be removed is told beforehand with its size and why, and nothing is changed by that", async () => {
  await using opened = await temporaryStore();
  for (const days of [10, 9, 1]) await backup(opened.store, daysAgo(days));
  const before = await names(opened.store);
  expect(await plannedRemovals(opened.store, ADDON, { days: 7 }, undefined, at(NOW))).toEqual({
    removals: [10, 9].map((days) => ({ slot: daysAgo(days), sizeBytes: 6, reasons: ["older than 7 days"] })),
    kept: [{ slot: daysAgo(1), reasons: ["at most 7 days old", "the newest"] }],
  });
  expect(await names(opened.store)).toEqual(before);
});

test("an archive that may still get its manifest stays when another machine's backup of its slot goes", async () => {
  await using opened = await temporaryStore();
  const { store } = opened;
  for (const days of [9, 8, 1]) await backup(store, daysAgo(days));
  await put(store, `${daysAgo(9)}-slow.tar.gz`, "data");
  await put(store, `${daysAgo(8)}-gone.tar.gz`, "data");
  await age(opened.url, ...(await names(store)).filter((name) => name.includes(daysAgo(8))));
  const { removed } = await prune(store, ADDON, { days: 7 }, undefined, at(NOW));
  expect(removed).toEqual([daysAgo(9), daysAgo(8)]);
  expect(await names(store)).toEqual([
    `${KEY}/${daysAgo(9)}-slow.tar.gz`,
    `${KEY}/${daysAgo(1)}-a.tar.gz`,
    `${KEY}/${daysAgo(1)}.json`,
  ]);
});

test("a backup whose archive is gone goes by its age, and counts for nothing", async () => {
  await using opened = await temporaryStore();
  const { store } = opened;
  for (const days of [10, 9, 1]) await backup(store, daysAgo(days));
  for (const days of [9, 1]) await store.delete(`${KEY}/${daysAgo(days)}-a.tar.gz`, never);
  expect((await prune(store, ADDON, { days: 7 }, undefined, at(NOW))).removed).toEqual([daysAgo(9)]);
  expect(await slots(store)).toEqual([daysAgo(10), daysAgo(1)]);
});

test("hundreds that are removed are asked for by few calls, and no manifest is read for them", async () => {
  await using opened = await temporaryStore();
  const { store } = opened;
  await layOut(opened.url, 400);
  await age(opened.url, ...(await names(store)));
  const calls: string[] = [];
  const counting: Store = {
    ...store,
    get: (...given) => (calls.push("get"), store.get(...given)),
    delete: (...given) => (calls.push("delete"), store.delete(...given)),
    deleteMany: (...given) => (calls.push("deleteMany"), store.deleteMany(...given)),
  };
  expect((await prune(counting, ADDON, { keepLast: 1 }, undefined, at(NOW))).removed).toHaveLength(399);
  expect(calls).toEqual(["deleteMany", "deleteMany"]);
});

test("a manifest that cannot be read is not removed blindly, and is named", async () => {
  await using opened = await temporaryStore();
  await backup(opened.store, daysAgo(10));
  await backup(opened.store, daysAgo(1));
  await put(opened.store, `${daysAgo(10)}.json`, { format: 2 });
  const { removed, failure } = await prune(opened.store, ADDON, { days: 7, minimum: 1 }, undefined, at(NOW));
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
  expect((await prune(store, ADDON, { days: 7 }, undefined, at(NOW))).failure).toBeUndefined();
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
  await prune(store, ADDON, { days: 7 }, undefined, at(NOW + 3_650 * DAY));
  expect(await names(store)).toContain(`${KEY}/${daysAgo(0)}-uploading.tar.gz`);
});

test("the newest verified backup stays, and damaged ones keep no place from good ones", async () => {
  await using opened = await temporaryStore();
  const { store } = opened;
  for (const days of [30, 20, 10, 3, 2, 1]) await backup(store, daysAgo(days));
  for (const days of [30, 20]) await put(store, `${daysAgo(days)}.verified.json`, {});
  for (const days of [10, 2, 1]) await put(store, `${daysAgo(days)}.damaged.json`, {});
  const { removed } = await prune(store, ADDON, { keepLast: 1 }, undefined, at(NOW));
  expect(removed).toEqual([daysAgo(30), daysAgo(10)]);
  expect(await slots(store)).toEqual([daysAgo(20), daysAgo(3), daysAgo(2), daysAgo(1)]);
});
