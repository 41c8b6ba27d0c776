import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startRedisServer, until, type RedisServer } from "../support/redis-server";
import { startVersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";
import { backedUpSource, debugArgs, type BackedUpSource } from "../support/restore-source";
import { digest, temporaryFolder, temporaryStore, visibleOf } from "./backup-support";
import { makeCli, type Cli } from "./cli-support";

let cli: Cli;
let source: BackedUpSource;
beforeAll(async () => {
  [cli, source] = await Promise.all([makeCli(), backedUpSource()]);
});
afterAll(async () => {
  await source[Symbol.asyncDispose]();
  await cli[Symbol.asyncDispose]();
});

const DEBUG = debugArgs();

function args(...more: string[]): string[] {
  return ["backup", "restore", source.name, "latest", "--store", source.url, ...more];
}

function address({ port }: RedisServer, user = ""): string {
  return `redis://${user}127.0.0.1:${port}`;
}

describeWith([versityGw], "redis-addon backup restore --to any Redis, from an S3 store", () => {
  it("takes the keys from the environment, and backs up there what it replaces", async () => {
    await using s3 = await startVersityGw();
    const url = `s3://${s3.bucket}/redis?endpoint=${s3.endpoint}&region=${s3.region}`;
    const env = { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey };
    await using leader = await startRedisServer({ args: DEBUG });
    await leader.client.set("from", "s3");
    await using target = await startRedisServer({ args: DEBUG });
    await target.client.set("old", "data");
    const taken = await cli.run(["backup", "run", "--from", address(leader), "--to", url], { env });
    expect(taken).toMatchObject({ code: 0 });
    const replacing = ["--store", url, "--to", address(target), "--replace-data", "--yes", "--json"];
    const name = `127.0.0.1-${leader.port}`;
    const done = await cli.run(["backup", "restore", name, "latest", ...replacing], { env });
    expect(done).toMatchObject({ code: 0 });
    expect(await digest(target.client)).toBe(await digest(leader.client));
    expect(done.stdout + done.stderr).not.toContain(s3.secretAccessKey);
    const { safetyBackup } = JSON.parse(done.stdout) as { safetyBackup: { slot: string; archive: string } };
    expect(safetyBackup.archive).toContain(
      `s3://${s3.bucket}/redis/127.0.0.1-${target.port}/${safetyBackup.slot}`,
    );
    // Nothing that held it while it was read is left.
    const { Contents = [] } = await s3.client.send(new ListObjectsV2Command({ Bucket: s3.bucket }));
    expect(Contents.map(({ Key }) => Key).filter((key) => /restoring|probe/.test(key ?? ""))).toEqual([]);
  });
});

describe("redis-addon backup restore --to any Redis", () => {
  it("restores into an empty one without a question, and says what it did", async () => {
    await using target = await startRedisServer({ args: DEBUG });
    const restored = await cli.run(args("--to", address(target)));
    expect(restored).toMatchObject({ code: 0 });
    expect(restored.stdout).toMatch(/^Restored +\d{8}T\d{9}Z\nInto +127\.0\.0\.1:\d+\nKeys +2005\n/);
    expect(restored.stderr).toContain("sending the snapshot …");
    expect(await digest(target.client)).toBe(source.digest);
  });

  it("touches no key before it was told to, and somebody agreed to what it would do", async () => {
    await using target = await startRedisServer({ args: DEBUG });
    await target.client.set("old", "data");
    const untold = await cli.run(args("--to", address(target)));
    expect(untold).toMatchObject({ code: 1, stdout: "" });
    expect(untold.stderr).toContain(
      "it holds 1 key, which the backup's data would replace. To have them replaced, add --replace-data",
    );

    const name = `127.0.0.1-${target.port}`;
    const unagreed = await cli.run(args("--to", address(target), "--replace-data"));
    expect(unagreed).toMatchObject({ code: 1, stdout: "" });
    expect(unagreed.stderr).toContain("what it holds is replaced: 1 key");
    expect(unagreed.stderr).toContain(
      `a verified backup of that is taken first, into ${source.url}, catalog ${name}`,
    );
    expect(unagreed.stderr).toContain("To do it, add --yes");
    const careless = await cli.run(args("--to", address(target), "--replace-data", "--no-safety-backup"));
    expect(careless.stderr).toContain(`no backup of that is taken first, and there is none in ${source.url}`);
    expect(await target.client.get("old")).toBe("data");

    const done = await cli.run(args("--to", address(target), "--replace-data", "--yes", "--json"));
    expect(done).toMatchObject({ code: 0 });
    expect(JSON.parse(done.stdout)).toMatchObject({
      target: `127.0.0.1:${target.port}`,
      keys: 2005,
      safetyBackup: { slot: expect.stringMatching(/^\d{8}T\d{9}Z$/) as string },
      warnings: [],
    });
    expect(await digest(target.client)).toBe(source.digest);
    const listed = await cli.run(["backup", "list", name, "--store", source.url, "--json"]);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ keys: 1, verification: "verified" }]);
  });

  it("asks at a terminal, and does nothing when the answer is no", async () => {
    await using target = await startRedisServer({ args: DEBUG });
    await target.client.set("old", "data");
    const run = cli.startInTerminal(args("--to", address(target), "--replace-data"));
    await run.printed("Go on? [y/N]");
    run.child.stdin?.write("n\n");
    expect(await run.result).toMatchObject({ code: 1 });
    expect(run.output()).toContain("nobody agreed; nothing was changed");
    expect(await target.client.get("old")).toBe("data");
  });

  it("takes the password from the environment, and shows it nowhere", async () => {
    await using target = await startRedisServer({ args: [...DEBUG, "--requirepass", "hidden-password"] });
    const client = target.connect({ password: "hidden-password" });
    const without = await cli.run(args("--to", address(target)));
    expect(without).toMatchObject({ code: 1 });
    expect(without.stderr).toContain("REDISCLI_AUTH is not set");
    const env = { REDISCLI_AUTH: "hidden-password" };
    const run = cli.start(args("--to", address(target)), { env });
    await run.printed("waiting for it to connect");
    expect((await visibleOf(run.pid)).replace("REDISCLI_AUTH=hidden-password", "")).not.toContain(
      "hidden-password",
    );
    expect(await run.result).toMatchObject({ code: 0 });
    expect(run.output()).not.toContain("hidden-password");
    expect(await digest(client)).toBe(source.digest);
    const typed = await cli.run(args("--to", "redis://user:hidden-password@127.0.0.1:1"));
    expect(typed).toMatchObject({ code: 2 });
    expect(typed.stderr).toContain("cannot take --to: a password in a URL");
    expect(typed.stderr).not.toContain("hidden-password");
  });

  it("leaves one whose restore is killed with its data, knows it again, and harms it by nothing that listens there", async () => {
    await using target = await startRedisServer({ args: [...DEBUG, "--appendonly", "yes"] });
    await target.client.set("old", "data");
    // Nobody can connect there, so that it is killed before anything was sent.
    const nowhere = ["--announce", "127.0.0.1:1"];
    const run = cli.start(args("--to", address(target), "--replace-data", "--yes", ...nowhere));
    await run.printed("waiting for it to connect");
    run.child.kill("SIGKILL");
    await run.result;
    expect(await target.client.get("old")).toBe("data");
    expect(await target.client.info("replication")).toContain("role:slave");

    await using stray = await startRedisServer();
    await stray.client.set("somebody", "else's");
    await target.client.call("REPLICAOF", "127.0.0.1", stray.port);
    await until("it to be refused there", () => target.log().includes("Unable to AUTH to MASTER"));
    expect(await target.client.get("old")).toBe("data");

    const again = await cli.run(args("--to", address(target), "--replace-data", "--yes"));
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toContain(
      "where an earlier restore was killed, unless that one is still running. Run on it: REPLICAOF NO ONE",
    );
    await target.client.call("REPLICAOF", "NO", "ONE");
    await target.client.config("SET", "masteruser", "");
    await target.client.config("SET", "masterauth", "");
    expect(await cli.run(args("--to", address(target), "--replace-data", "--yes"))).toMatchObject({
      code: 0,
    });
    expect(await digest(target.client)).toBe(source.digest);
  });

  it("lets go of it on Ctrl-C: with its own data, and leading", async () => {
    await using target = await startRedisServer({ args: DEBUG });
    await target.client.set("old", "data");
    const nowhere = ["--announce", "127.0.0.1:1"];
    const run = cli.start(args("--to", address(target), "--replace-data", "--yes", ...nowhere));
    await run.printed("waiting for it to connect");
    run.child.kill("SIGINT");
    expect(await run.result).toMatchObject({ code: 130 });
    expect(run.output()).toContain("it was put back as it was");
    expect(await target.client.set("old", "newer")).toBe("OK");
    expect(await target.client.config("GET", "masterauth")).toEqual(["masterauth", ""]);
  });

  it("opens an encrypted backup, and encrypts that of what is replaced likewise", async () => {
    await using store = await temporaryStore();
    await using other = await startRedisServer();
    await using target = await startRedisServer();
    await other.client.set("from", "the backup");
    await target.client.set("old", "data");
    const env = { REDIS_ADDON_PASSPHRASE: "correct horse battery staple" };
    const taking = [
      "backup",
      "run",
      "--from",
      address(other),
      "--to",
      store.url,
      "--name",
      "crypt",
      "--passphrase",
    ];
    expect(await cli.run(taking, { env })).toMatchObject({ code: 0 });
    const restoring = ["backup", "restore", "crypt", "--store", store.url, "--to", address(target)];
    const locked = await cli.run([...restoring, "--replace-data", "--yes"]);
    expect(locked).toMatchObject({ code: 1, stdout: "" });
    expect(locked.stderr).toContain("it is encrypted with a passphrase");
    const opened = await cli.run([...restoring, "--replace-data", "--yes", "--json"], { env });
    expect(opened).toMatchObject({ code: 0 });
    const { safetyBackup } = JSON.parse(opened.stdout) as { safetyBackup: { archive: string } };
    expect(safetyBackup.archive).toMatch(/\.tar\.gz\.age$/);
    expect(await target.client.get("from")).toBe("the backup");
  });

  it("listens where it is told, and has it announced", async () => {
    await using target = await startRedisServer({ args: DEBUG });
    const listen = ["--listen", "0.0.0.0:0", "--announce", "localhost"];
    const restored = await cli.run(args("--to", address(target), ...listen));
    expect(restored).toMatchObject({ code: 0 });
    expect(restored.stderr).toMatch(/waiting for it to connect to localhost:\d+/);
    expect(await digest(target.client)).toBe(source.digest);
  });
});

describe("redis-addon backup restore --folder", () => {
  it("puts the files where redis-server opens them", async () => {
    await using parent = await temporaryFolder();
    const folder = join(parent.path, "copy");
    const restored = await cli.run(args("--folder", folder));
    expect(restored).toMatchObject({ code: 0 });
    expect(restored.stdout).toContain(`Open it: cd ${folder} && redis-server`);
    await using server = await startRedisServer({ dir: folder, args: DEBUG });
    expect(await digest(server.client)).toBe(source.digest);
    const again = await cli.run(args("--folder", folder));
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toContain("it is not empty");
  });

  it("takes the URL of an archive in place of a name", async () => {
    await using parent = await temporaryFolder();
    const catalog = join(new URL(source.url).pathname, source.name);
    const archive = (await readdir(catalog)).find((name) => name.endsWith(".tar.gz")) ?? "";
    const folder = join(parent.path, "copy");
    const from = ["backup", "restore", "--archive", `${source.url}/${source.name}/${archive}`];
    const restored = await cli.run([...from, "--folder", folder, "--json"]);
    expect(restored).toMatchObject({ code: 0 });
    expect(JSON.parse(restored.stdout)).toMatchObject({ path: folder });
    await rm(folder, { recursive: true });
  });
});

describe("redis-addon backup restore", () => {
  for (const [what, more, said] of [
    ["no goal", [], "nothing says where the data shall go"],
    ["two goals", ["--folder", "x", "--to", "redis://h"], "the data go to one place"],
    ["options of another goal", ["--folder", "x", "--listen", "0.0.0.0:1"], "of use with --to alone"],
    ["no safety backup of a folder", ["--folder", "x", "--no-safety-backup"], "of use with --to alone"],
    ["data of a folder to replace", ["--folder", "x", "--replace-data"], "a folder must be new or empty"],
    [
      "an archive besides a name",
      ["--folder", "x", "--archive", "file:///a.tar.gz"],
      "names a backup already",
    ],
    ["a port that is none", ["--to", "redis://h", "--listen", "0.0.0.0:99999"], "it is no host and port"],
    ["TLS options for a plain address", ["--to", "redis://h", "--cacert", "x"], "redis:// uses none"],
  ] as const)
    it(`refuses ${what} as wrong usage`, async () => {
      const refused = await cli.run(args(...more));
      expect(refused).toMatchObject({ code: 2, stdout: "" });
      expect(refused.stderr).toContain(said);
    });

  it("tells by its exit code that there is no such backup, and by --help how it is used", async () => {
    const missing = ["backup", "restore", "nobody", "latest", "--store", source.url, "--folder", "x"];
    expect(await cli.run(missing)).toMatchObject({ code: 3 });
    const help = await cli.run(["backup", "restore", "--help"]);
    expect(help).toMatchObject({ code: 0 });
    for (const word of ["--into", "--folder", "--to", "--announce", "Exit codes:", "  10 "])
      expect(help.stdout).toContain(word);
  });
});
