import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { extract } from "tar";
import { describe, expect, test } from "vitest";
import { readArchive } from "../../provider/backup/archive/read";
import { takeBackup } from "../../provider/backup/take-backup";
import { startRedisServer } from "../support/redis-server";
import { describeWith, findTool } from "../support/tools";
import { never, sha256 } from "./archive-support";
import { digest, task, temporaryFolder, temporaryStore } from "./backup-support";

const run = promisify(execFile);
const DEBUG = ["--enable-debug-command", "yes"];
const LINK = "appendonlydir/appendonly.aof.1.base.rdb";

type Reader = (archive: string, folder: string) => Promise<unknown>;

/** A real server's backup of several gzip members: of bytes that shrink, and of some that don't. */
async function takenArchive(diskless: "yes" | "no") {
  const opened = await temporaryStore();
  try {
    await using source = await startRedisServer({
      args: [...DEBUG, "--repl-diskless-sync", diskless, "--repl-diskless-sync-delay", "0"],
    });
    await source.client.call("DEBUG", "POPULATE", 30_000, "string", 100);
    await source.client.set("random", randomBytes(1_500_000));
    const { manifest } = await takeBackup(
      {
        addon: { name: "cache", catalogKey: "cache-12345678" },
        source: { host: "127.0.0.1", port: source.port, acceptDisk: true },
        reason: "demand",
        slot: Date.parse("2026-05-01T03:00:00Z"),
        attempt: "aaaa",
        store: opened.store,
      },
      task(),
    );
    const key = `cache-12345678/${manifest.archive.name}`;
    return {
      path: join(fileURLToPath(opened.url), key),
      manifest,
      digest: await digest(source.client),
      open: () => opened.store.get(key, never),
      [Symbol.asyncDispose]: opened[Symbol.asyncDispose],
    };
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}

/** What there must be after any reader: the manifest's files, and the base as another name of the dump. */
async function unpacksWith(reader: Reader): Promise<void> {
  for (const diskless of ["yes", "no"] as const) {
    await using archive = await takenArchive(diskless);
    await using parent = await temporaryFolder();
    const folder = join(parent.path, "data");
    await mkdir(folder);
    await reader(archive.path, folder);
    const { files } = archive.manifest;
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(
      [...files.map(({ path }) => path), "appendonlydir", LINK].sort(),
    );
    for (const { path, sha256: hash } of files)
      expect([path, sha256(await readFile(join(folder, path)))]).toEqual([path, hash]);
    const [dump, link] = await Promise.all(["dump.rdb", LINK].map((path) => stat(join(folder, path))));
    expect(link?.ino).toBe(dump?.ino);
  }
}

describe("a backup's archive is unpacked by", () => {
  test("GNU tar", () => unpacksWith((archive, folder) => run("tar", ["-xzf", archive, "-C", folder])));

  test("npm's tar, without a warning", () =>
    unpacksWith((file, cwd) => extract({ file, cwd, strict: true, preservePaths: false })));

  test("Python's tarfile, which reads it to its end", () =>
    unpacksWith((archive, folder) =>
      run("python3", [
        "-c",
        "import sys, tarfile\nwith tarfile.open(sys.argv[1], 'r:gz', errorlevel=2) as tar: tar.extractall(sys.argv[2])",
        archive,
        folder,
      ]),
    ));

  const bsdtar = findTool("bsdtar");
  describeWith([bsdtar], "libarchive", () => {
    test("bsdtar", () => unpacksWith((archive, folder) => run(bsdtar.path, ["-xzf", archive, "-C", folder])));
  });
});

test("gzip finds nothing wrong with it", async () => {
  await using archive = await takenArchive("no");
  const { stderr } = await run("gzip", ["-tv", archive.path]);
  expect(stderr).toMatch(/OK\s*$/);
});

test("a folder that we unpacked opens in a stock redis-server, as its README says", async () => {
  await using archive = await takenArchive("yes");
  for (const options of [{}, { config: "./redis.conf" }]) {
    await using folder = await temporaryFolder();
    await readArchive(await archive.open(), { manifest: archive.manifest, folder: folder.path }, never);
    await using copy = await startRedisServer({ dir: folder.path, args: DEBUG, ...options });
    expect(await digest(copy.client)).toBe(archive.digest);
  }
});
