import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCatalog, readManifest } from "../../provider/backup/catalog";
import { holdBackup } from "../../provider/backup/hold";
import { pinBackup } from "../../provider/backup/pin";
import { prune } from "../../provider/backup/prune";
import { Failure } from "../../provider/core/errors";
import { archiveKey, manifestKey } from "../../provider/core/manifest";
import { formatSlot } from "../../provider/core/slot";
import type { Store } from "../../provider/stores/contract";
import { bucketPlace, folderPlace, type Place } from "../support/faults-places";
import { startVersityGw, type VersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";
import { task } from "./backup-support";

const never = new AbortController().signal;
const KEY = "cache-1";
const ADDON = { catalogKey: KEY, createdAt: "2020-01-01T00:00:00.000Z" };
const DAY = 86_400_000;
const NOW = Date.now();
const OLD = Array.from({ length: 12 }, (_, n) => formatSlot(NOW - (30 - n) * DAY));
const YOUNG = [2, 1, 0.1].map((days) => formatSlot(NOW - days * DAY));
const ROUNDS = 4;

const put = (store: Store, key: string, content: string) =>
  store.put(key, Readable.from([Buffer.from(content)], { objectMode: false }), {
    ifAbsent: true,
    signal: never,
  });

/** As taking a backup stores it: the archive, and in the end its manifest. */
async function upload(store: Store, slot: string, attempt = "a", between = async () => {}): Promise<void> {
  const archive = archiveKey(KEY, slot, attempt, false);
  await put(store, archive, "data");
  await between();
  const at = new Date(NOW).toISOString();
  const manifest = {
    format: 1,
    addon: { name: "cache", catalogKey: KEY },
    slot,
    reason: "scheduled",
    archive: { name: archive.slice(KEY.length + 1), sizeBytes: 4, sha256: "0".repeat(64) },
    files: [],
    takenAt: at,
    finishedAt: at,
    replication: { id: "x", offset: 1 },
    server: { name: "redis", version: "7.0.15" },
    rdb: { magic: "REDIS0010", version: 10, sizeBytes: 1 },
  };
  await put(store, manifestKey(KEY, slot), JSON.stringify(manifest));
}

const pruned = (store: Store) => prune(store, ADDON, { days: 7 }, { every: "1d" }, task());

/** Each that is listed has the archive that its manifest names. */
async function wholeSlots(store: Store): Promise<string[]> {
  const { backups } = await readCatalog(store, KEY, never);
  for (const { name } of backups) {
    const { archive } = await readManifest(store, KEY, name, never);
    expect((await buffer(await store.get(`${KEY}/${archive.name}`, never))).toString()).toBe("data");
  }
  return backups.map(({ name }) => name);
}

function races(open: () => Promise<Place>): void {
  test("prunings of several machines remove what one would, and every one succeeds", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await using place = await open();
      const { store } = place;
      for (const slot of [...OLD, ...YOUNG]) await upload(store, slot);
      if (round % 2 === 0) await place.age();
      const all = await Promise.all([pruned(store), pruned(store), pruned(store)]);
      expect(all.map(({ failure }) => failure)).toEqual([undefined, undefined, undefined]);
      expect(new Set(all.flatMap(({ removed }) => removed))).toEqual(new Set(OLD));
      expect(await wholeSlots(store)).toEqual(YOUNG);
      expect(await place.everything()).toHaveLength(2 * YOUNG.length);
    }
  });

  test("what is uploaded meanwhile is whole afterwards, also where it was cut short of its manifest", async () => {
    await using place = await open();
    const { store } = place;
    for (const slot of [...OLD, ...YOUNG.slice(0, 2)]) await upload(store, slot);
    await place.age();
    const [, last = ""] = YOUNG.slice(1);
    await upload(store, last, "new", async () => {
      expect((await pruned(store)).removed).toEqual(OLD);
    });
    expect(await wholeSlots(store)).toEqual(YOUNG);
  });

  test("what was pinned or held before stays whole, and a reader finds all of a backup or that it is gone", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await using place = await open();
      const { store } = place;
      for (const slot of [...OLD, ...YOUNG]) await upload(store, slot);
      await place.age();
      const [pinned = "", held = "", ...others] = OLD;
      await pinBackup(store, KEY, pinned, undefined, task());
      const hold = await holdBackup(store, KEY, held, task());
      const reading = others.map(async (slot) => {
        try {
          await using _hold = await holdBackup(store, KEY, slot, task());
          const { archive } = await readManifest(store, KEY, slot, never);
          return (await buffer(await store.get(`${KEY}/${archive.name}`, never))).toString();
        } catch (error) {
          if (error instanceof Failure) return error.code;
          throw error;
        }
      });
      const [first] = await Promise.all([pruned(store), pruned(store)]);
      expect(first.failure).toBeUndefined();
      for (const found of await Promise.all(reading))
        expect(["data", "no-such-backup", "not-found"]).toContain(found);
      expect(await wholeSlots(store)).toEqual(expect.arrayContaining([pinned, held, ...YOUNG]));
      await hold[Symbol.asyncDispose]();
      // Nothing of a reader that lost is kept for ever.
      await place.age();
      expect((await pruned(store)).failure).toBeUndefined();
      expect(await wholeSlots(store)).toEqual([pinned, ...YOUNG]);
      expect(await place.everything()).toHaveLength(2 * (1 + YOUNG.length) + 1);
    }
  });
}

describe("in a folder", () => races(folderPlace));

describeWith([versityGw], "in S3", () => {
  let server: VersityGw;
  beforeAll(async () => void (server = await startVersityGw()));
  afterAll(() => server[Symbol.asyncDispose]());
  races(() => bucketPlace(server));
});
