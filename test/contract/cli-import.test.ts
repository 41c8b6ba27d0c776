import { execFile } from "node:child_process";
import { copyFile, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import { makeTestHome, type TestHome } from "../support/data-home";
import { startRedisServer, until } from "../support/redis-server";
import { make, run } from "./agent-support";
import { temporaryFolder } from "./backup-support";

const ENTRY = join(import.meta.dirname, "../../dist/provider/cli/main.js");
const execute = promisify(execFile);

let home: TestHome;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
/** Of a server that knows nothing of this package: three keys in database 0. */
let rdb: string;
/** The same with a key in database 9 as well. */
let rdbOfTen: string;
/** Names of the files of its append-only folder, which lie beside. */
let aof: readonly string[];

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function redisAddon(...args: string[]): Promise<Result> {
  return redisAddonWith({}, ...args);
}

async function redisAddonWith(secrets: NodeJS.ProcessEnv, ...args: string[]): Promise<Result> {
  const env = { ...process.env, REDIS_ADDON_HOME: home.path, ...secrets };
  try {
    return { code: 0, ...(await execute(process.execPath, [ENTRY, ...args], { env })) };
  } catch (error) {
    const { code, stdout, stderr } = error as Result;
    return { code, stdout, stderr };
  }
}

async function tar(file: string, ...entries: string[]): Promise<string> {
  const path = join(folder.path, file);
  await execute("tar", ["-caf", path, "-C", folder.path, ...entries]);
  return path;
}

beforeAll(async () => {
  home = await makeTestHome();
  folder = await temporaryFolder();
  await using server = await startRedisServer({ args: ["--appendonly", "yes"] });
  await server.client.mset("first", "1", "second", "2");
  await server.client.rpush("list", "a", "b");
  await server.client.save();
  await copyFile(join(server.dir, "dump.rdb"), (rdb = join(folder.path, "dump.rdb")));
  await server.client.select(9);
  await server.client.set("tenth", "yes");
  await server.client.save();
  await copyFile(join(server.dir, "dump.rdb"), (rdbOfTen = join(folder.path, "ten.rdb")));
  const aofFolder = join(server.dir, "appendonlydir");
  aof = await readdir(aofFolder);
  for (const file of aof) await copyFile(join(aofFolder, file), join(folder.path, file));
});
afterAll(async () => {
  await home[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** What the three keys of the file are in an add-on. */
async function contents(record: AddonRecord) {
  return {
    keys: await run(record, "DBSIZE"),
    first: await run(record, "GET", "first"),
    list: await run(record, "LRANGE", "list", "0", "-1"),
  };
}
const IMPORTED = { keys: 3, first: "1", list: ["a", "b"] };

describe("redis-addon import-file", () => {
  it("makes the data of somebody else's RDB file those of an empty add-on", async () => {
    const { record } = await make(home, "empty");
    const imported = await redisAddon("import-file", rdb, "--into", "empty");
    expect(imported.stdout).toMatch(/^empty: restored from backup dump\.rdb \(3 keys\) in /);
    expect(imported.code).toBe(0);
    expect(await contents(record)).toEqual(IMPORTED);
    expect(await readdir(join(home.path, "jobs"))).toEqual([]);
    expect((await redisAddon("info", "empty")).stdout).toContain("dump.rdb");
  });

  it("replaces keys only when it was told to, and agreed to, after a verified backup of them", async () => {
    const { record } = await make(home, "full");
    await run(record, "SET", "mine", "kept");
    const untold = await redisAddon("import-file", rdb, "--into", "full");
    expect(untold).toMatchObject({ code: 1, stdout: "" });
    expect(untold.stderr).toContain("full holds 1 key");
    expect(untold.stderr).toContain("add --replace-data");
    const unagreed = await redisAddon("import-file", rdb, "--into", "full", "--replace-data");
    expect(unagreed).toMatchObject({ code: 1, stdout: "" });
    expect(unagreed.stderr).toMatch(
      /will be replaced by the file dump\.rdb \(written by Redis 7\.\S+, REDIS/,
    );
    expect(await run(record, "GET", "mine")).toBe("kept");

    const done = await redisAddon("import-file", rdb, "--into", "full", "--replace-data", "--yes", "--json");
    const told = JSON.parse(done.stdout) as { safetyBackup: { verification: unknown }; restored: unknown };
    expect(told.safetyBackup.verification).toMatchObject({ outcome: "verified" });
    expect(told.restored).toMatchObject({ backup: "dump.rdb", keys: 3 });
    expect(await contents(record)).toEqual(IMPORTED);
    const back = await redisAddon("backup", "list", "full", "--json");
    expect(back.code).toBe(0);
  });

  it.each([
    ["packed by gzip", async () => join(folder.path, "export"), "export"],
    ["in a tar of another provider", () => tar("other.tar", "notes.txt", "data/dump.rdb"), "other.tar"],
    [
      "in a packed one, beside an AOF",
      () => tar("other.tgz", "appendonly.aof", "data/dump.rdb"),
      "other.tgz",
    ],
  ])("takes a file %s, whatever it is called", async (_, path, name) => {
    await mkdir(join(folder.path, "data"), { recursive: true });
    await copyFile(rdb, join(folder.path, "data/dump.rdb"));
    await writeFile(join(folder.path, "notes.txt"), "from somebody\n");
    await writeFile(join(folder.path, "appendonly.aof"), "*1\r\n$4\r\nPING\r\n");
    await writeFile(join(folder.path, "export"), gzipSync(await readFile(rdb)));
    const { record } = await make(home, `takes-${name.replaceAll(".", "-")}`);
    const imported = await redisAddon("import-file", await path(), "--into", record.name);
    expect(imported.stderr).not.toContain("redis-addon: ");
    expect(imported.code).toBe(0);
    expect(await contents(record)).toEqual(IMPORTED);
  });

  it("takes an archive of this package, also one that was given another name", async () => {
    const { record } = await make(home, "source");
    await run(record, "SET", "archived", "yes");
    const { archive } = JSON.parse((await redisAddon("backup", "run", "source", "--json")).stdout) as {
      archive: string;
    };
    await copyFile(fileURLToPath(archive), join(folder.path, "my backup"));
    for (const [i, file] of [fileURLToPath(archive), join(folder.path, "my backup")].entries()) {
      const { record: target } = await make(home, `target-${i}`);
      expect((await redisAddon("import-file", file, "--into", target.name)).code).toBe(0);
      expect(await run(target, "GET", "archived")).toBe("yes");
    }
  });

  it("takes an encrypted archive of any Redis where it is given what opens it, whatever it is called", async () => {
    await using server = await startRedisServer();
    await server.client.set("secret", "yes");
    const store = pathToFileURL(join(folder.path, "store")).href;
    const passphrase = { REDIS_ADDON_PASSPHRASE: "open it" };
    const from = ["--from", `redis://127.0.0.1:${server.port}`, "--to", store, "--passphrase"];
    const taken = await redisAddonWith(
      { ...passphrase, REDISCLI_AUTH: "" },
      ...["backup", "run", ...from, "--json"],
    );
    const { archive } = JSON.parse(taken.stdout) as { archive: string };
    const encrypted = join(folder.path, "encrypted");
    await copyFile(fileURLToPath(archive), encrypted);
    const { record } = await make(home, "opened");
    const without = await redisAddon("import-file", encrypted, "--into", "opened");
    expect(without).toMatchObject({ code: 1, stdout: "" });
    expect(without.stderr).toContain("it is encrypted");
    for (const file of [encrypted, fileURLToPath(archive)]) {
      const args = ["import-file", file, "--into", "opened", "--replace-data", "--yes"];
      expect((await redisAddonWith(passphrase, ...args)).code).toBe(0);
      expect(await run(record, "GET", "secret")).toBe("yes");
    }
  });

  it("refuses by name what is no snapshot, before anything is touched", async () => {
    await make(home, "untouched");
    const before = await home.serverPid("untouched");
    const base = aof.find((file) => file.endsWith(".base.rdb")) ?? "";
    const increment = aof.find((file) => file.endsWith(".incr.aof")) ?? "";
    const files: readonly (readonly [name: string, content: Buffer | string, why: string])[] = [
      ["empty", "", "it is empty"],
      ["export.json", '{"keys": []}', "it looks like JSON"],
      ["movie.mp4", Buffer.alloc(100_000, 7), "it does not begin as an RDB file"],
      ["dump.zip", "PK\u0003\u0004 and so on", "it is a zip file"],
      ["increment", await readFile(join(folder.path, increment)), "it is an append-only file (AOF)"],
      ["base.rdb", await readFile(join(folder.path, base)), "it is the beginning of an append-only file"],
    ];
    for (const [name, content, why] of files) {
      const path = join(folder.path, "wrong", name);
      await mkdir(join(folder.path, "wrong"), { recursive: true });
      await writeFile(path, content);
      const refused = await redisAddon("import-file", path, "--into", "untouched", "--replace-data", "--yes");
      expect(refused).toMatchObject({ code: 1, stdout: "" });
      expect(refused.stderr).toContain(`cannot import ${name}`);
      expect(refused.stderr).toContain(why);
    }
    const noSnapshot = await tar("empty.tar.gz", "notes.txt");
    expect((await redisAddon("import-file", noSnapshot, "--into", "untouched")).stderr).toContain(
      'there is no .rdb in it, but "notes.txt"',
    );
    const aFolder = await redisAddon("import-file", folder.path, "--into", "untouched");
    expect(aFolder.stderr).toContain("it is a folder");
    const absent = await redisAddon("import-file", "/no/such.rdb", "--into", "untouched");
    expect(absent.stderr).toContain("there is no such file");
    expect(await home.serverPid("untouched")).toBe(before);
  });

  it("refuses one that is damaged, cut short, or one of two", async () => {
    const { record } = await make(home, "safe");
    await run(record, "SET", "mine", "kept");
    const whole = await readFile(rdb);
    const damaged = Buffer.from(whole);
    damaged.writeUInt8(damaged.readUInt8(whole.length - 20) ^ 0xff, whole.length - 20);
    await writeFile(join(folder.path, "damaged.rdb"), damaged);
    await writeFile(join(folder.path, "cut.rdb"), whole.subarray(0, whole.length - 12));
    await writeFile(join(folder.path, "cut.gz"), gzipSync(whole).subarray(0, -6));
    const two = await tar("two.tar.gz", "dump.rdb", "ten.rdb");
    const files = ["damaged.rdb", "cut.rdb", "cut.gz"].map((name) => join(folder.path, name));
    for (const path of [...files, two]) {
      const refused = await redisAddon("import-file", path, "--into", "safe", "--replace-data", "--yes");
      expect([path, refused.code]).toEqual([path, 4]);
      // That there are backups of something helps nobody who has a file.
      expect(refused.stderr).not.toContain("backup list");
    }
    expect(await run(record, "GET", "mine")).toBe("kept");
    expect(await readdir(join(home.path, "jobs"))).toEqual([]);
  });

  it("refuses keys in databases that the add-on's plan lacks, its data as they were", async () => {
    const { record } = await make(home, "small");
    await run(record, "SET", "mine", "kept");
    const refused = await redisAddon("import-file", rdbOfTen, "--into", "small", "--replace-data", "--yes");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain("the backup has keys in database 9, and the add-on has database 0 only");
    expect(await run(record, "GET", "mine")).toBe("kept");
    const { record: large } = await make(home, "large", { plan: "l_mono" });
    expect((await redisAddon("import-file", rdbOfTen, "--into", "large")).code).toBe(0);
    expect(await contents(large)).toEqual(IMPORTED);
  });

  it("refuses the snapshot of a server that is newer than the add-on's before it is read", async () => {
    await make(home, "older");
    const newer = Buffer.from(await readFile(rdb));
    newer.write("REDIS0099", 0, "latin1");
    await writeFile(join(folder.path, "newer.rdb"), newer);
    const refused = await redisAddon("import-file", join(folder.path, "newer.rdb"), "--into", "older");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/does not load what Redis \S+ wrote \(REDIS0099\)/);
  });

  it("leaves nothing behind where it is interrupted", async () => {
    const { record } = await make(home, "interrupted");
    await run(record, "SET", "mine", "kept");
    const large = join(folder.path, "large.rdb");
    await using server = await startRedisServer({ args: ["--enable-debug-command", "yes"] });
    await server.client.call("DEBUG", "POPULATE", "300000", "key", "200");
    await server.client.save();
    await rename(join(server.dir, "dump.rdb"), large);
    const env = { ...process.env, REDIS_ADDON_HOME: home.path };
    const args = ["import-file", large, "--into", "interrupted", "--replace-data", "--yes"];
    const importing = execute(process.execPath, [ENTRY, ...args], { env });
    let told = "";
    importing.child.stderr?.on("data", (chunk: Buffer) => {
      told += chunk.toString();
      if (told.includes("reading the snapshot")) importing.child.kill("SIGINT");
    });
    await expect(importing).rejects.toMatchObject({ code: 130 });
    expect(await run(record, "GET", "mine")).toBe("kept");
    await until("its job to be gone", async () => (await readdir(join(home.path, "jobs"))).length === 0);
    const left = await readdir(join(home.path, "addons", "interrupted"));
    expect(left.filter((name) => name.startsWith("restore") || name === "replaced")).toEqual([]);
  });
});
