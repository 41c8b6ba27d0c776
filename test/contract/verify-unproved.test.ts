import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Failure } from "../../provider/core/errors";
import type { Store } from "../../provider/stores/contract";
import { temporaryFolder, task } from "./backup-support";
import {
  atHand,
  type BackedUp,
  backedUp,
  copyOf,
  forge,
  isEmpty,
  marks,
  processesWith,
  script,
} from "./verify-support";

let backup: BackedUp;
beforeAll(async () => {
  backup = await backedUp();
});
afterAll(() => backup[Symbol.asyncDispose]());

const checked = (why: string | RegExp) => ({
  outcome: "structure-checked",
  why: typeof why === "string" ? why : expect.stringMatching(why),
});

describe("a backup that nobody here can load is structure-checked, and it says why", () => {
  test("where there is no server", async () => {
    await using own = await copyOf(backup);
    expect(await own.verify({ servers: [] })).toMatchObject(
      checked(/^no server at hand loads what Redis \S+ wrote \(REDIS\d{4}\)$/),
    );
    expect(await marks(own.store)).toEqual([".checked.json", ".json"]);
  });

  test("where the snapshot is of a format that is newer than every server", async () => {
    await using own = await copyOf(backup);
    await forge(own, (files) => void files.get("dump.rdb")?.write("REDIS0099"), {
      rdb: { magic: "REDIS0099", version: 99, sizeBytes: 0 },
    });
    expect(await own.verify()).toMatchObject(checked(/REDIS0099/));
    // A writer of a version that is not known either: servers that may be newer are asked, and refuse.
    await forge(own, (files) => void files.get("dump.rdb")?.write("REDIS0099"), {
      rdb: { magic: "REDIS0099", version: 99, sizeBytes: 0 },
      server: { name: "redis", version: "99.0.0" },
    });
    const { path } = atHand();
    expect(await own.verify({ servers: [{ path, version: "99.0.0" }] })).toMatchObject(
      checked(/Can't handle RDB format version 99/),
    );
  });

  test("where its data need more memory than may be used, with what redis-check-rdb counted", async () => {
    await using own = await copyOf(backup);
    expect(await own.verify({ memoryBudgetBytes: 64 * 1024 * 1024 })).toMatchObject({
      ...checked(/loading it takes 6\d MiB of memory, and no more than 64 MiB may be used/),
      counts: { keys: 2_004, expires: 2 },
    });
  });

  test("where it needs more databases than it says", async () => {
    await using own = await copyOf(backup);
    await forge(own, (files) =>
      files.set(
        "redis.conf",
        Buffer.from(String(files.get("redis.conf")).replace(/databases \d+/, "databases 2")),
      ),
    );
    expect(await own.verify()).toMatchObject(checked(/more than 2 databases/));
  });

  test("where its redis.conf says what nobody here knows, and no server is started by it", async () => {
    await using own = await copyOf(backup);
    await using elsewhere = await temporaryFolder();
    const made = join(elsewhere.path, "made.log");
    await forge(own, (files) =>
      files.set(
        "redis.conf",
        Buffer.concat([files.get("redis.conf") ?? Buffer.alloc(0), Buffer.from(`logfile ${made}\n`)]),
      ),
    );
    expect(await own.verify()).toMatchObject(
      checked(/redis\.conf says what this version does not know: "logfile /),
    );
    expect(await readdir(elsewhere.path)).toEqual([]);
  });

  test.each([
    ["killed", "kill -9 $$", /was killed while it loaded them, probably for want of memory/],
    ["crashed", "kill -11 $$", /ended with signal 11 while it loaded them/],
    [
      "out of memory",
      "echo '1:M 01 Jan 2026 00:00:00.000 # Out Of Memory allocating 9 bytes!'; kill -6 $$",
      /Out Of Memory allocating 9 bytes/,
    ],
    [
      "without a module",
      `echo "1:M 01 Jan 2026 00:00:00.000 # The RDB file contains module data I can't load: no matching module type 'graphdata'"; exit 1`,
      /no matching module type 'graphdata'/,
    ],
  ])("where the server is %s: nothing good looks damaged", async (_, fault, why) => {
    await using own = await copyOf(backup);
    await using faulty = await script(fault);
    const { version } = atHand();
    expect(await own.verify({ servers: [{ path: faulty.path, version }] })).toMatchObject(checked(why));
    expect(await isEmpty(own.scratch)).toBe(true);
  });

  test("but by the next server, where one refuses it for reasons of its own", async () => {
    await using own = await copyOf(backup);
    await using faulty = await script("kill -11 $$");
    const { version } = atHand();
    const servers = [{ path: faulty.path, version }, atHand()];
    expect(await own.verify({ servers })).toMatchObject({ outcome: "verified" });
  });
});

describe("nothing is said of a backup, and nothing written down", () => {
  test("where the server fails for a reason that has nothing to do with it", async () => {
    await using own = await copyOf(backup);
    await using faulty = await script(
      "echo '1:M 01 Jan 2026 00:00:00.000 # Fatal error loading the DB: Permission denied. Exiting.'; exit 1",
    );
    const { version } = atHand();
    await expect(own.verify({ servers: [{ path: faulty.path, version }] })).rejects.toMatchObject({
      code: "scratch-server-failed",
      cause: expect.stringContaining("Permission denied"),
      transient: true,
    });
    const nowhere = { path: "/nonexistent/redis-server", version };
    await expect(own.verify({ servers: [nowhere] })).rejects.toMatchObject({ code: "scratch-server-failed" });
    expect(await marks(own.store)).toEqual([".json"]);
    expect(await isEmpty(own.scratch)).toBe(true);
  });

  test("where the scratch disk gives back something else than was written to it", async () => {
    await using own = await copyOf(backup);
    await using faulty = await script(
      "[ -e dump.rdb ] && echo more >>dump.rdb; echo '1:M 01 Jan 2026 00:00:00.000 # Wrong RDB checksum'; exit 1",
    );
    const { version } = atHand();
    await expect(own.verify({ servers: [{ path: faulty.path, version }] })).rejects.toMatchObject({
      code: "scratch-disk-fails",
      transient: true,
    });
    expect(await marks(own.store)).toEqual([".json"]);
  });

  test("where its archive is not found for a moment, although it is listed", async () => {
    await using own = await copyOf(backup);
    const store: Store = {
      ...own.store,
      get: async (key, signal) => {
        if (!key.endsWith(".tar.gz")) return own.store.get(key, signal);
        throw new Failure({ code: "not-found", operation: "read", subject: key, cause: "no such object" });
      },
    };
    await expect(own.verify({ store })).rejects.toMatchObject({ code: "store-unreliable", transient: true });
    expect(await marks(own.store)).toEqual([".json"]);
  });

  test("where it is aborted while a server loads it, which is gone at once", async () => {
    await using own = await copyOf(backup);
    // It never gets anywhere: it neither ends nor opens its socket.
    await using stuck = await script("[ $# -lt 3 ] && exit 2\nwhile :; do sleep 1; done");
    const abort = new AbortController();
    const reason = new Error("told to stop");
    const given = task({
      signal: abort.signal,
      progress: ({ message }) => {
        if (message.startsWith("loading")) setImmediate(() => abort.abort(reason));
      },
    });
    const { version } = atHand();
    await expect(own.verify({ servers: [{ path: stuck.path, version }] }, given)).rejects.toBe(reason);
    expect(await processesWith(stuck.path)).toEqual([]);
    expect(await marks(own.store)).toEqual([".json"]);
    expect(await isEmpty(own.scratch)).toBe(true);
  });

  test("where there is no such backup", async () => {
    await using own = await copyOf(backup);
    await own.store.delete(`cache-12345678/20260501T030000000Z.json`, new AbortController().signal);
    await expect(own.verify()).rejects.toMatchObject({ code: "not-found" });
  });
});

describe("an encrypted backup", () => {
  const passphrase = "correct horse battery staple";
  let encrypted: BackedUp;
  beforeAll(async () => {
    encrypted = await backedUp({ encryption: { passphrase } });
  });
  afterAll(() => encrypted[Symbol.asyncDispose]());

  test("is verified with its key", async () => {
    await using own = await copyOf(encrypted);
    expect(await own.verify({ key: { passphrase } })).toMatchObject({ outcome: "verified" });
  });

  test("is structure-checked without it: no more than its stored bytes can be looked at", async () => {
    await using own = await copyOf(encrypted);
    expect(await own.verify()).toMatchObject(checked(/encrypted, and without a key/));
    await own.store.delete(`cache-12345678/${own.manifest.archive.name}`, new AbortController().signal);
    expect(await own.verify()).toMatchObject({ outcome: "damaged", why: "its archive is gone" });
  });

  test("is not damaged because the key is wrong", async () => {
    await using own = await copyOf(encrypted);
    await expect(own.verify({ key: { passphrase: "wrong" } })).rejects.toMatchObject({ code: "wrong-key" });
    expect(await marks(own.store)).toEqual([".json"]);
    expect(await isEmpty(own.scratch)).toBe(true);
  });
});
