import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { BackupsWish } from "../../provider/core/facets";
import { formatSlot } from "../../provider/core/slot";
import { previewRetention } from "../../provider/operations/preview-retention";
import type { Placement, Platform } from "../../provider/platforms/contract";
import { openFileStore } from "../../provider/stores/file";
import { systemClock } from "../../provider/system/clock";
import { testRecord } from "../support/local-addon";

const DAY = 86_400_000;
const NOW = Date.parse("2026-06-30T12:00:00Z");
const clock = { ...systemClock, now: () => NOW };
const DAILY = { daily: "03:00" };
const KEY = testRecord().catalogKey;
const ARCHIVE = "data of a backup";

let home: string;
let elsewhere: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "policy-home-"));
  elsewhere = await mkdtemp(join(tmpdir(), "policy-elsewhere-"));
});
afterEach(() => Promise.all([home, elsewhere].map((folder) => rm(folder, { recursive: true, force: true }))));

const here = () => join(home, "backups");
const urlOf = (folder: string) => pathToFileURL(folder).href;
/** Three in the morning, so many days ago. */
const night = (daysAgo: number) => Date.parse("2026-06-30T03:00:00Z") - daysAgo * DAY;

/** Verified backups in a folder, one of each of these nights. */
async function backups(folder: string, ...daysAgo: readonly number[]): Promise<void> {
  const store = openFileStore(folder);
  const { signal } = new AbortController();
  for (const slot of daysAgo.map((days) => formatSlot(night(days)))) {
    const name = `${slot}-a.tar.gz`;
    const manifest = {
      ...{ format: 1, addon: { name: "cache", catalogKey: KEY }, slot, reason: "scheduled" },
      ...{ archive: { name, sizeBytes: ARCHIVE.length, sha256: "0".repeat(64) }, files: [] },
      ...{ takenAt: new Date(NOW).toISOString(), finishedAt: new Date(NOW).toISOString() },
      ...{ replication: { id: "x", offset: 1 }, server: { name: "redis", version: "7.0.15" } },
      rdb: { magic: "REDIS0010", version: 10, sizeBytes: 1 },
    };
    for (const [file, text] of [
      [name, ARCHIVE],
      [`${slot}.json`, JSON.stringify(manifest)],
      [`${slot}.verified.json`, "{}"],
    ] as const)
      await store.put(`${KEY}/${file}`, Readable.from([Buffer.from(text)], { objectMode: false }), {
        signal,
      });
  }
}

function platform(placed: Partial<Placement> = {}): Platform {
  const identity = { id: "home-1-xxxx", host: "alpha", path: home };
  const placement = () => Promise.resolve({ record: testRecord(), home: identity, ...placed });
  return { kind: "local", placement } as unknown as Platform;
}

const preview = (from: Partial<BackupsWish>, to: Partial<BackupsWish>, placed: Partial<Placement> = {}) => {
  const wish = { schedule: DAILY, retention: { days: 7 } };
  const change = { name: "cache", from: { ...wish, ...from }, to: { ...wish, ...to } };
  return previewRetention(platform(placed), change, { clock });
};
const removed = (oldestDaysAgo: number, count: number, folder = here()) => ({
  backups: count,
  sizeBytes: count * ARCHIVE.length,
  oldest: new Date(night(oldestDaysAgo)).toISOString(),
  catalog: `${urlOf(folder)}/${KEY}`,
});

/** All that lies below a folder, with what was changed when. */
async function contents(folder: string): Promise<string> {
  const { stdout } = await promisify(execFile)("find", [folder, "-printf", "%p %s %T@ %C@\\n"]);
  return stdout;
}

test("what a shorter retention would remove is counted, with its size and the oldest, and nothing is touched", async () => {
  await backups(here(), 6, 5, 4, 3, 2, 1, 0);
  const before = await contents(home);
  expect(await preview({}, { retention: { days: 3 } })).toEqual({ removes: removed(6, 4) });
  expect(await preview({}, { retention: { keepLast: 2 } })).toEqual({ removes: removed(6, 5) });
  expect(await contents(home)).toBe(before);
});

test("what goes anyway, under the rules of today, is none of the change's", async () => {
  await backups(here(), 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  expect(await preview({}, { retention: { days: 4 } })).toEqual({ removes: removed(6, 3) });
  expect(await preview({}, { retention: { days: 7, weekly: 3 } })).toEqual({});
  expect(await preview({}, { retention: { days: 30 } })).toEqual({});
});

test("what is pinned stays, and isn't counted", async () => {
  await backups(here(), 6, 5, 4, 3, 2, 1, 0);
  const pin = `${KEY}/${formatSlot(night(6))}.pin`;
  const { signal } = new AbortController();
  await openFileStore(here()).put(pin, Readable.from([Buffer.from("{}")], { objectMode: false }), { signal });
  expect(await preview({}, { retention: { days: 3 } })).toEqual({ removes: removed(5, 3) });
});

test("no store is opened for a change that has nothing to do with what stays", async () => {
  const nowhere = { destination: "s3://bucket?endpoint=http://127.0.0.1:1" };
  const alerts = { webhook: "https://hooks.example.com/x" };
  expect(await preview(nowhere, { ...nowhere, alerts })).toEqual({});
});

test("of another destination it is told how many stay at the old one, and what lies at the new one and would go", async () => {
  await backups(here(), 6, 5, 0);
  await backups(elsewhere, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  expect(await preview({}, { destination: urlOf(elsewhere) })).toEqual({
    leaves: { backups: 3, catalog: `${urlOf(here())}/${KEY}` },
    removes: removed(9, 3, elsewhere),
  });
  expect(await preview({ destination: urlOf(elsewhere) }, {})).toEqual({
    leaves: { backups: 10, catalog: `${urlOf(elsewhere)}/${KEY}` },
  });
});

test("a destination that isn't there yet holds nothing, and is not made", async () => {
  const folder = join(elsewhere, "to", "be", "made");
  expect(await preview({}, { destination: urlOf(folder) })).toEqual({
    leaves: { backups: 0, catalog: `${urlOf(here())}/${KEY}` },
  });
  expect(existsSync(here())).toBe(false);
  expect(await readdir(elsewhere)).toEqual([]);
});

test("the same place by another name is no other destination", async () => {
  await mkdir(here());
  const link = join(elsewhere, "link");
  await symlink(here(), link);
  for (const destination of [`${urlOf(here())}/`, urlOf(link)])
    expect(await preview({}, { destination })).toEqual({});
});

test("while the data are not trusted no backup goes", async () => {
  await backups(here(), 6, 5, 4, 3, 2, 1, 0);
  expect(await preview({}, { retention: { days: 1 } }, { distrusted: "it came back empty" })).toEqual({});
});

test("a store that can't be read is no failure: it is told as what isn't known", async () => {
  const destination = "s3://bucket?endpoint=http://127.0.0.1:1";
  const credentials = { accessKeyId: "AKIA", secretAccessKey: "hush-hush-hush" };
  const { untold, ...rest } = await preview({}, { destination, credentials });
  expect(rest).toEqual({});
  expect(untold).toMatch(/within 5 s|refused|reach/);
  expect(untold).not.toContain("hush");
});

test("an add-on that isn't there has no backups that could go", async () => {
  const gone = { kind: "local", placement: () => Promise.resolve(undefined) } as unknown as Platform;
  const change = {
    name: "cache",
    from: { schedule: DAILY, retention: { days: 7 } },
    to: { schedule: DAILY, retention: { days: 1 } },
  };
  expect(await previewRetention(gone, change, { clock })).toEqual({});
});
