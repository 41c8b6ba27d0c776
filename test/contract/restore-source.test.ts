import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { recordVerification } from "../../provider/backup/verify/record";
import { type Manifest, manifestKey } from "../../provider/core/manifest";
import type { VerificationOutcome } from "../../provider/core/verification";
import { remove } from "../../provider/operations/remove";
import { resolveRestore, type RestoreSecrets } from "../../provider/operations/restore/restore-source";
import { localPlatform } from "../../provider/platforms/local/local-platform";
import { carries, makeTestHome } from "../support/data-home";
import { startVersityGw, versityGw } from "../support/s3-servers";
import { make, run } from "./agent-support";
import { task, temporaryFolder } from "./backup-support";
import { openOn, PREFIX } from "./store-s3-support";
import { type BackedUp, backedUp, CATALOG, copyOf, put, SLOT } from "./verify-support";

const never = new AbortController().signal;
const PASSPHRASE = "open sesame";
// A key that nobody uses for anything else.
const RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
const SLOTS = { old: "20260401T030000000Z", newer: "20260502T030000000Z", newest: "20260503T030000000Z" };

let plain: BackedUp;
let locked: BackedUp;
let sealed: BackedUp;
let cleanUp: AsyncDisposableStack;
beforeAll(async () => {
  await using making = new AsyncDisposableStack();
  plain = making.use(await backedUp());
  locked = making.use(await backedUp({ encryption: { passphrase: PASSPHRASE } }));
  sealed = making.use(await backedUp({ encryption: { recipients: [RECIPIENT] } }));
  cleanUp = making.move();
});
afterAll(() => cleanUp.disposeAsync());
afterEach(() => {
  vi.unstubAllEnvs();
});

/** Nothing of it is there: URLs need no data home. */
const nowhere = localPlatform("/nonexistent/home");
const catalogOf = ({ url }: Pick<BackedUp, "url">) => `${url}/${CATALOG}`;

function found(url: string, backup = "latest", secrets: RestoreSecrets = {}) {
  return resolveRestore(nowhere, { url, backup }, secrets, task());
}

/** The same archive once more, under another slot. */
async function again(
  { store, manifest }: BackedUp,
  slot: string,
  more: Partial<Manifest> = {},
): Promise<Manifest> {
  const name = manifest.archive.name.replace(SLOT, slot);
  const copy = { ...manifest, ...more, slot, archive: { ...manifest.archive, name } };
  const archive = await buffer(await store.get(`${CATALOG}/${manifest.archive.name}`, never));
  await put(store, `${CATALOG}/${name}`, archive);
  await put(store, manifestKey(CATALOG, slot), JSON.stringify(copy));
  return copy;
}

async function judge({ store }: BackedUp, { slot, archive }: Manifest, outcome: VerificationOutcome) {
  const judged = { format: 1, slot, archive: archive.name, outcome, at: "2026-06-01T00:00:00Z" } as const;
  const why = outcome === "damaged" ? { why: "a bit has turned" } : {};
  await recordVerification(store, CATALOG, { ...judged, ...why }, never);
}

it("a catalog's backup is found by its slot, the beginning of it, or as the newest", async () => {
  await using stored = await copyOf(plain);
  const older = await again(stored, SLOTS.old);
  await again(stored, SLOTS.newer);
  await judge(stored, older, "verified");
  const url = catalogOf(stored);
  const backup = async (wanted: string) => (await found(url, wanted)).backup;
  expect(await backup("latest")).toBe(SLOTS.newer);
  expect(await backup("latest-verified")).toBe(SLOTS.old);
  expect(await backup("20260501")).toBe(SLOT);
  expect(await backup(SLOTS.old)).toBe(SLOTS.old);
  await expect(found(url, "202605")).rejects.toMatchObject({ code: "ambiguous-backup" });
  await expect(found(url, "2025")).rejects.toMatchObject({
    code: "no-such-backup",
    hint: expect.stringContaining(SLOT),
  });
  const { source, archive, manifest, passedOver } = await found(url, SLOT);
  expect(source).toEqual({ kind: "backup", destination: stored.url, catalogKey: CATALOG, slot: SLOT });
  expect(archive).toBe(`${url}/${stored.manifest.archive.name}`);
  expect(manifest).toEqual(stored.manifest);
  expect(passedOver).toEqual([]);
});

it("what was there before data were replaced is not meant by `latest`, and can be named", async () => {
  await using stored = await copyOf(plain);
  const safety = await again(stored, SLOTS.newer, { purpose: "safety" });
  for (const manifest of [stored.manifest, safety]) await judge(stored, manifest, "verified");
  const url = catalogOf(stored);
  for (const wanted of ["latest", "latest-verified"])
    expect(await found(url, wanted)).toMatchObject({
      backup: SLOT,
      passedOver: [
        expect.stringMatching(new RegExp(`${SLOTS.newer} is passed over: .*before data were replaced`)),
      ],
    });
  expect(await found(url, SLOTS.newer)).toMatchObject({ backup: SLOTS.newer, passedOver: [] });
  await stored.store.delete(manifestKey(CATALOG, SLOT), never);
  expect(await found(url)).toMatchObject({ backup: SLOTS.newer });
});

it("the newest that isn't damaged is meant, and it is said what was passed over", async () => {
  await using stored = await copyOf(plain);
  await judge(stored, await again(stored, SLOTS.newer), "damaged");
  const newest = await again(stored, SLOTS.newest);
  await stored.store.delete(`${CATALOG}/${newest.archive.name}`, never);
  const url = catalogOf(stored);
  const { backup, passedOver } = await found(url);
  expect(backup).toBe(SLOT);
  expect(passedOver).toEqual([
    expect.stringMatching(new RegExp(`${SLOTS.newest} .*damaged: its archive \\S+ is gone`)),
    expect.stringMatching(new RegExp(`${SLOTS.newer} .*damaged: a bit has turned`)),
  ]);
  await expect(found(url, SLOTS.newer)).rejects.toMatchObject({
    code: "backup-damaged",
    cause: expect.stringContaining("a bit has turned"),
  });
  await put(stored.store, `${CATALOG}/${stored.manifest.archive.name}`, "cut short");
  await expect(found(url)).rejects.toMatchObject({
    code: "backup-damaged",
    cause: expect.stringMatching(/all 3 of them are damaged/),
  });
});

it("what a newer version wrote is not passed over: what is older must not be taken for the newest", async () => {
  await using stored = await copyOf(plain);
  await put(stored.store, manifestKey(CATALOG, SLOTS.newer), JSON.stringify({ format: 2 }));
  await expect(found(catalogOf(stored))).rejects.toMatchObject({ code: "unreadable-manifest" });
});

it("a URL of a catalog that isn't there says so", async () => {
  await expect(found(`${plain.url}/cash-12345678`)).rejects.toMatchObject({
    code: "no-such-catalog",
    hint: expect.stringContaining(plain.url),
  });
  await expect(found("ftp://host/cache")).rejects.toMatchObject({ code: "unsupported-destination" });
});

it("an archive's URL is compared with its manifest where that lies beside it, and stands alone elsewhere", async () => {
  const url = pathToFileURL(plain.archivePath).href;
  const beside = await found(url);
  expect(beside.source).toMatchObject({ kind: "backup", slot: SLOT });
  expect(beside.manifest?.slot).toBe(SLOT);

  await using folder = await temporaryFolder();
  const path = join(folder.path, "my old.tar.gz");
  await copyFile(plain.archivePath, path);
  const alone = pathToFileURL(path).href;
  expect(await found(alone)).toEqual({
    source: { kind: "archive", url: alone },
    backup: "my old.tar.gz",
    archive: alone,
    passedOver: [],
  });
  await expect(found(`${alone.slice(0, -7)}2.tar.gz`)).rejects.toMatchObject({ code: "no-such-backup" });
});

it("an encrypted backup wants what opens it, before anything is fetched", async () => {
  const wanted = (stored: BackedUp, secrets?: RestoreSecrets) => found(catalogOf(stored), "latest", secrets);
  await expect(wanted(locked)).rejects.toMatchObject({
    code: "needs-key",
    cause: expect.stringContaining("with a passphrase"),
    hint: "Give that passphrase as its key",
  });
  await expect(wanted(sealed)).rejects.toMatchObject({
    code: "needs-key",
    cause: expect.stringContaining(RECIPIENT),
  });
  const nobody: RestoreSecrets["keyFor"] = () => Promise.resolve(undefined);
  await expect(wanted(sealed, { keyFor: nobody })).rejects.toMatchObject({
    hint: "Give the identity of one of them: --identity <file>",
  });
  const identities = { identities: ["AGE-SECRET-KEY-1"] };
  await expect(wanted(locked, { key: identities })).rejects.toMatchObject({ code: "needs-key" });
  const passphrase = { passphrase: PASSPHRASE };
  await expect(wanted(sealed, { key: passphrase })).rejects.toMatchObject({ code: "needs-key" });

  expect((await wanted(locked, { key: passphrase })).source.key).toEqual(passphrase);
  expect((await wanted(sealed, { key: identities })).source.key).toEqual(identities);
  const asked: unknown[] = [];
  const keyFor: RestoreSecrets["keyFor"] = (encryption) => {
    asked.push(encryption?.recipients);
    return Promise.resolve(encryption?.recipients === undefined ? passphrase : undefined);
  };
  expect((await wanted(locked, { keyFor })).source.key).toEqual(passphrase);
  expect(asked).toEqual([undefined]);
  expect((await found(catalogOf(plain), "latest", { key: passphrase })).source).not.toHaveProperty("key");

  await using folder = await temporaryFolder();
  const path = join(folder.path, "old.tar.gz.age");
  await copyFile(locked.archivePath, path);
  const { href } = pathToFileURL(path);
  await expect(found(href)).rejects.toMatchObject({ code: "needs-key" });
  expect((await found(href, "latest", { keyFor })).source.key).toEqual(passphrase);
});

it("an add-on's backups are found by its record, those of a deleted one in the data home's own place", async () => {
  await using home = await makeTestHome();
  const { record } = await make(home, "cache");
  await run(record, "SET", "k", "v");
  const from = (addon: string) => ({ addon, backup: "latest" });
  const resolve = (addon: string, secrets: RestoreSecrets = {}) =>
    resolveRestore(home.platform, from(addon), secrets, home.task);
  await expect(resolve("cache")).rejects.toMatchObject({
    code: "no-such-backup",
    hint: expect.stringContaining("redis-addon backup run cache"),
  });

  await using elsewhere = await temporaryFolder();
  const wish = {
    schedule: { daily: "03:00" },
    retention: { days: 7 },
    destination: pathToFileURL(elsewhere.path).href,
    encryption: { passphrase: PASSPHRASE },
  };
  const change = { facet: "backups", name: "cache", claim: carries("t2"), given: [] } as const;
  await home.platform.apply({ ...change, wish }, home.task);
  const policed = await home.platform.backUp("cache", home.task);
  const byPolicy = await resolve("cache");
  expect(byPolicy.backup).toBe(policed.slot);
  expect(byPolicy.source).toMatchObject({
    destination: wish.destination,
    catalogKey: record.catalogKey,
    key: { passphrase: PASSPHRASE },
  });

  await home.platform.apply({ ...change, wish: undefined }, home.task);
  const removal = await remove(home.platform, { name: "cache", token: "t1" }, home.task);
  if (removal.outcome !== "removed") throw new Error(`it is ${removal.outcome}`);
  const final = await resolve("cache");
  expect(final.backup).toBe(removal.finalBackup?.slot);
  expect(fileURLToPath(final.archive)).toContain(join(home.path, "backups", record.catalogKey));
  await expect(resolve("cash")).rejects.toMatchObject({
    code: "no-such-addon",
    hint: expect.stringMatching(new RegExp(`a URL that ends in /cash-${record.catalogKey.slice(-8)}`)),
  });
});

it.skipIf(versityGw.unavailable !== undefined)(
  "a catalog and an archive of an S3 store are found",
  async () => {
    await using server = await startVersityGw();
    const { accessKeyId, secretAccessKey, bucket, endpoint, region } = server;
    const store = await openOn(server, endpoint);
    const { archive } = plain.manifest;
    for (const name of [archive.name, `${SLOT}.json`])
      await put(
        store,
        `${CATALOG}/${name}`,
        await buffer(await plain.store.get(`${CATALOG}/${name}`, never)),
      );
    await put(store, "other/old.tar.gz", "not looked into");
    const at = (key: string) => `s3://${bucket}/${PREFIX}/${key}?endpoint=${endpoint}&region=${region}`;
    const secrets = { credentials: { accessKeyId, secretAccessKey } };
    for (const key of [CATALOG, `${CATALOG}/${archive.name}`])
      expect((await found(at(key), "latest", secrets)).source, key).toEqual({
        ...{ kind: "backup", catalogKey: CATALOG, slot: SLOT, ...secrets },
        destination: at("").replace("/?", "?"),
      });
    const alone = await found(at("other/old.tar.gz"), "latest", secrets);
    expect(alone.archive).toBe(`s3://${bucket}/${PREFIX}/other/old.tar.gz`);
    await expect(found(at("other/older.tar.gz"), "latest", secrets)).rejects.toMatchObject({
      code: "no-such-backup",
    });
    // What fetches it may be the agent, which gets no keys by its environment.
    vi.stubEnv("AWS_PROFILE", undefined);
    vi.stubEnv("AWS_SESSION_TOKEN", undefined);
    vi.stubEnv("AWS_ACCESS_KEY_ID", accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", secretAccessKey);
    for (const key of [CATALOG, "other/old.tar.gz"])
      expect((await found(at(key))).source, key).toMatchObject(secrets);
    const wrong = { credentials: { accessKeyId, secretAccessKey: "hush-hush" } };
    await expect(found(at(CATALOG), "latest", wrong)).rejects.toSatisfy(
      (error: Error) => !error.message.includes("hush-hush"),
    );
  },
);
