import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runRestoreJob } from "../../provider/backup/jobs/run-restore";
import { restoreBackup } from "../../provider/backup/restore/restore-backup";
import { recordVerification } from "../../provider/backup/verify/record";
import { asFailure } from "../../provider/core/errors";
import type { RestoreJob } from "../../provider/core/job";
import type { Task } from "../../provider/core/task";
import { type Verification, verificationKey } from "../../provider/core/verification";
import type { Store } from "../../provider/stores/contract";
import { systemClock } from "../../provider/system/clock";
import { findRedisServer, startRedisServer, until } from "../support/redis-server";
import { digest, names, task, temporaryFolder } from "./backup-support";
import {
  atHand,
  backedUp,
  type BackedUp,
  CATALOG,
  copyOf,
  forge,
  marks,
  RICH,
  script,
  SLOT,
} from "./verify-support";

let master: BackedUp;
beforeAll(async () => {
  master = await backedUp();
});
afterAll(() => master[Symbol.asyncDispose]());

const LINK = "appendonlydir/appendonly.aof.1.base.rdb";

/** A copy of the backup, and a job that restores it into a folder of its own. */
async function restorable(given?: BackedUp) {
  await using cleanUp = new AsyncDisposableStack();
  const backup = given ?? cleanUp.use(await copyOf(master));
  const parent = cleanUp.use(await temporaryFolder());
  const folder = join(parent.path, "restore");
  const job: RestoreJob = {
    kind: "restore",
    id: "job-1",
    addon: { name: "cache" },
    source: { kind: "backup", destination: backup.url, catalogKey: CATALOG, slot: SLOT },
    folder,
    scratchFolder: join(parent.path, "scratch"),
    proof: { servers: [atHand()] },
  };
  const owned = cleanUp.move();
  return {
    backup,
    folder,
    parent: parent.path,
    job,
    run: async (more: Partial<RestoreJob> = {}, given: Task = task()) => {
      const result = await runRestoreJob({ ...job, ...more }, given);
      if (result.outcome !== "extracted") throw new Error(`it ${result.outcome}`);
      return result;
    },
    failed: (more: Partial<RestoreJob> = {}) =>
      runRestoreJob({ ...job, ...more }, task()).then(
        () => undefined,
        (error: unknown) => asFailure(error, "", "").report(),
      ),
    left: () => readdir(parent.path),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What a server finds that is started in the folder, by its file and by its own settings. */
async function loadedFrom(folder: string): Promise<readonly { keys: number; digest: string }[]> {
  const found = [];
  for (const config of [undefined, "redis.conf"]) {
    const debug = ["--enable-debug-command", "yes", "--save", ""];
    // It follows nobody that is there: a leader would drop what has expired.
    const args = [...debug, "--replicaof", "127.0.0.1", "1"];
    const conf = config === undefined ? {} : { config };
    await using server = await startRedisServer({ dir: folder, args, ...conf });
    await until("it has loaded", async () => (await server.client.info()).includes("loading:0"));
    const info = await server.client.info();
    const keys = [...info.matchAll(/^db\d+:keys=(\d+)/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
    found.push({ keys, digest: await digest(server.client) });
  }
  return found;
}

async function recorded(store: Store, outcome: "verified" | "damaged" | "structure-checked"): Promise<void> {
  const verification: Verification = {
    format: 1,
    slot: SLOT,
    archive: master.manifest.archive.name,
    at: "2026-05-01T04:00:00.000Z",
    outcome,
    ...(outcome === "verified"
      ? { server: { name: "redis", version: "7.0.15" }, counts: { keys: 7, expires: 5 } }
      : { why: "of this test" }),
  };
  await recordVerification(store, CATALOG, verification, task().signal);
}

test("a backup that nobody has looked at is loaded both ways by a scratch server, and lies whole in the folder", async () => {
  await using restore = await restorable();
  const { folder, backup } = restore;
  const result = await restore.run();
  expect(result).toEqual({
    type: "result",
    outcome: "extracted",
    backup: SLOT,
    archiveUrl: `${backup.url}/${CATALOG}/${backup.manifest.archive.name}`,
    verification: "verified",
    counts: { keys: RICH.keys, expires: RICH.expires, highestDatabase: 3 },
    warnings: [],
  });
  expect((await readdir(folder, { recursive: true })).sort()).toEqual(
    [...backup.manifest.files.map(({ path }) => path), "appendonlydir", LINK].sort(),
  );
  const [dump, base, own] = await Promise.all(
    ["dump.rdb", LINK, "."].map((path) => stat(join(folder, path))),
  );
  expect(base?.ino).toBe(dump?.ino);
  // No name of the scratch server's copy is left.
  expect(dump?.nlink).toBe(2);
  expect([dump, own].map((stats) => (stats?.mode ?? 0) & 0o777)).toEqual([0o600, 0o700]);
  expect(await restore.left()).toEqual(["restore"]);
  expect(await names(backup.store)).toEqual([
    `${CATALOG}/${backup.manifest.archive.name}`,
    `${CATALOG}/${SLOT}.json`,
  ]);
  const [plain, configured] = await loadedFrom(folder);
  expect(plain?.keys).toBe(RICH.keys);
  expect(configured).toEqual(plain);
});

test("one that is verified is not loaded again: its counts are those of its verification", async () => {
  await using restore = await restorable();
  await recorded(restore.backup.store, "verified");
  await using never = await script("echo started >> started; exit 1");
  const given = task();
  const servers = [{ path: never.path, version: atHand().version }];
  expect(await restore.run({ proof: { servers } }, given)).toMatchObject({
    verification: "verified",
    counts: { keys: 7, expires: 5 },
    warnings: [],
  });
  expect(given.told.map(({ message }) => message)).not.toContain("checking the snapshot");
  expect((await loadedFrom(restore.folder))[0]?.keys).toBe(RICH.keys);
});

test("what a verification of another archive says is not believed", async () => {
  await using restore = await restorable();
  const { store } = restore.backup;
  await recorded(store, "verified");
  const key = verificationKey(CATALOG, SLOT, "verified");
  const path = `${fileURLToPath(store.url)}/${key}`;
  const text = await readFile(path, "utf8");
  await writeFile(path, text.replace(master.manifest.archive.name, `${SLOT}-other.tar.gz`));
  expect(await restore.run()).toMatchObject({ verification: "verified", counts: { keys: RICH.keys } });
});

test("one whose memory there isn't is extracted with a warning, and without a count", async () => {
  await using restore = await restorable();
  const proof = { servers: [atHand()], memoryBudgetBytes: 1 };
  const result = await restore.run({ proof });
  expect(result).toMatchObject({
    verification: "structure-checked",
    warnings: [expect.stringMatching(/no server has loaded it before: loading it takes \d+ MiB of memory/)],
  });
  expect(result.counts).toBeUndefined();
  expect((await loadedFrom(restore.folder))[0]?.keys).toBe(RICH.keys);
});

describe("refused, with nothing left behind", () => {
  const flip = async ({ archivePath }: BackedUp) => {
    const bytes = await readFile(archivePath);
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
    await writeFile(archivePath, bytes);
  };
  const cut = async ({ archivePath }: BackedUp) =>
    writeFile(archivePath, (await readFile(archivePath)).subarray(0, -1000));

  test.each<[string, string, RegExp, (backup: BackedUp) => Promise<void>]>([
    ["one bit of the archive", "backup-damaged", /its bytes are not those that were written/, flip],
    ["an archive that was cut", "backup-damaged", /it ends after \d+ of \d+ bytes/, cut],
    [
      "an archive that is gone",
      "backup-damaged",
      /its archive is gone/,
      ({ store, manifest }) => store.delete(`${CATALOG}/${manifest.archive.name}`, task().signal),
    ],
    [
      "one that was found damaged",
      "backup-damaged",
      /of this test/,
      ({ store }) => recorded(store, "damaged"),
    ],
    [
      "one that fits its manifest in every byte, and does not load",
      "backup-damaged",
      /redis-check-rdb says|does not load it/,
      (backup) =>
        forge(backup, (files) => {
          const dump = Buffer.from(files.get("dump.rdb") ?? []);
          dump.writeUInt8(dump.readUInt8(dump.length - 200) ^ 1, dump.length - 200);
          files.set("dump.rdb", dump);
        }),
    ],
    [
      "one whose redis.conf says more than ours do",
      "archive-unknown",
      /its redis.conf says what this version does not know/,
      (backup) => forge(backup, (files) => files.set("redis.conf", Buffer.from("loadmodule /tmp/x.so\n"))),
    ],
    [
      "one whose append-only file holds commands",
      "backup-damaged",
      /its append-only file holds more than its snapshot/,
      (backup) =>
        forge(backup, (files) =>
          files.set("appendonlydir/appendonly.aof.1.incr.aof", Buffer.from("*1\r\n$8\r\nFLUSHALL\r\n")),
        ),
    ],
  ])("%s", async (_, code, cause, harm) => {
    await using restore = await restorable();
    await harm(restore.backup);
    const before = await names(restore.backup.store);
    expect(await restore.failed()).toMatchObject({
      code,
      operation: "restore",
      subject: "cache",
      cause: expect.stringMatching(cause),
    });
    expect(await restore.left()).toEqual([]);
    expect(await names(restore.backup.store)).toEqual(before);
  });

  test("what no server here loads, before anything is fetched, with what loads it", async () => {
    await using restore = await restorable();
    await cut(restore.backup);
    const servers = [{ path: findRedisServer(), version: "6.2.0" }];
    expect(await restore.failed({ proof: { servers } })).toMatchObject({
      code: "snapshot-format",
      cause: expect.stringMatching(/a server of version 6\.2\.0 does not load what Redis \d/),
      hint: expect.stringMatching(/^What loads it: Redis \d+\.\d+\.\d+ and newer/),
    });
    expect(await restore.left()).toEqual([]);
  });

  test("where something lies already, and a backup that isn't there", async () => {
    await using restore = await restorable();
    await mkdir(restore.folder);
    expect(await restore.failed()).toMatchObject({ code: "already-exists", subject: "cache" });
    expect(await readdir(restore.folder)).toEqual([]);
    const { source } = restore.job;
    const other = { ...source, slot: "20200101T000000000Z" } as RestoreJob["source"];
    expect(await restore.failed({ source: other })).toMatchObject({ code: "no-such-backup" });
    expect(await names(restore.backup.store)).toHaveLength(2);
  });
});

test("what came wrong once and right when it was read again is restored, with a word about it", async () => {
  await using restore = await restorable();
  const { backup, folder } = restore;
  let reads = 0;
  const store: Store = {
    ...backup.store,
    async get(key, signal) {
      const stream = await backup.store.get(key, signal);
      if (!key.endsWith(".tar.gz") || ++reads > 1) return stream;
      return stream.map((chunk: Buffer) => {
        const changed = Buffer.from(chunk);
        changed.writeUInt8(changed.readUInt8(5) ^ 1, 5);
        return changed;
      });
    },
  };
  const request = { store, catalogKey: CATALOG, slot: SLOT, folder, proof: { servers: [atHand()] } };
  expect(await restoreBackup(request, task())).toMatchObject({
    verification: "verified",
    warnings: [expect.stringMatching(/^The store gave other bytes when it was read first: /)],
  });
  expect(reads).toBe(2);
});

test("the backup is held while it is read, and no longer", async () => {
  await using restore = await restorable();
  const { store } = restore.backup;
  const held: boolean[] = [];
  const progress = () => {
    const seen = names(store).then((all) => held.push(all.some((name) => name.includes(".restoring-"))));
    pending.push(seen);
  };
  const pending: Promise<unknown>[] = [];
  await restore.run({}, task({ progress, clock: systemClock }));
  await Promise.all(pending);
  expect(held[0]).toBe(true);
  expect(await marks(store)).toEqual([".json"]);
});

test("aborted, it leaves nothing and says why", async () => {
  await using restore = await restorable();
  const abort = new AbortController();
  const reason = new Error("enough");
  const progress = ({ message }: { message: string }) => {
    if (message === "checking the snapshot") abort.abort(reason);
  };
  await expect(restore.run({}, task({ signal: abort.signal, progress }))).rejects.toThrow("enough");
  expect(await restore.left()).toEqual([]);
  expect(await marks(restore.backup.store)).toEqual([".json"]);
});

describe("an encrypted backup", () => {
  test("is refused without its key and with a wrong one, and restored with it", async () => {
    const { generateX25519Identity, identityToRecipient } = await import("age-encryption");
    const [identity, other] = await Promise.all([generateX25519Identity(), generateX25519Identity()]);
    const recipients = [await identityToRecipient(identity)];
    await using encrypted = await backedUp({ encryption: { recipients } });
    await using restore = await restorable(encrypted);
    expect(await restore.failed()).toMatchObject({ code: "needs-key", subject: "cache" });
    const { source } = restore.job;
    const wrong = { ...source, key: { identities: [other] } };
    expect(await restore.failed({ source: wrong })).toMatchObject({ code: "wrong-key" });
    expect(await restore.left()).toEqual([]);
    const right = { ...source, key: { identities: [identity] } };
    expect(await restore.run({ source: right })).toMatchObject({
      verification: "verified",
      counts: { keys: RICH.keys, expires: RICH.expires },
    });
    expect((await loadedFrom(restore.folder))[0]?.keys).toBe(RICH.keys);
  });
});
