import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findRedisServer, startRedisServer, until, type RedisServer } from "../support/redis-server";
import { names, temporaryFolder, temporaryStore } from "./backup-support";
import { AT_ONCE, makeCli, type Cli, type CliRun } from "./cli-support";

const PASSWORD = "correct-horse-battery";

let cli: Cli;
let leader: RedisServer;

beforeAll(async () => {
  [cli, leader] = await Promise.all([
    makeCli(),
    startRedisServer({ args: ["--requirepass", PASSWORD, ...AT_ONCE] }),
  ]);
  const client = leader.connect({ password: PASSWORD });
  await client.set("treasure", "gold");
  await client.call("ACL", "SETUSER", "backup", "on", `>${PASSWORD}`, "+psync", "+replconf", "+info");
});
afterAll(async () => {
  await leader[Symbol.asyncDispose]();
  await cli[Symbol.asyncDispose]();
});

const runFrom = (url: string, to: string, ...more: string[]) => [
  ...["backup", "run", "--from", url, "--to", to, "--no-verify", ...more],
];
const typed = (run: CliRun, text: string) => run.child.stdin?.write(`${text}\r`);

describe("the password of a Redis that is backed up", () => {
  it("comes from REDISCLI_AUTH, and from there gets into no command line and no other process", async () => {
    await using store = await temporaryStore();
    await using folder = await temporaryFolder();
    // Notes what it is started with, and never gets ready.
    const seen = join(folder.path, "seen");
    const script = [
      "#!/bin/sh",
      `(echo "$0 $@"; env) >> ${seen}`,
      `[ "$1" = --version ] && exec ${findRedisServer()} --version`,
      "exec sleep 600",
    ];
    await writeFile(join(folder.path, "redis-server"), `${script.join("\n")}\n`, { mode: 0o755 });
    const run = cli.start(
      ["backup", "run", "--from", `redis://127.0.0.1:${leader.port}`, "--to", store.url, "--passphrase"],
      {
        env: {
          PATH: `${folder.path}:/usr/bin:/bin`,
          REDISCLI_AUTH: PASSWORD,
          REDIS_ADDON_PASSPHRASE: "open sesame",
        },
      },
    );
    const started = async () => (await readFile(seen, "utf8").catch(() => "")).match(/^PATH=/gm) ?? [];
    await until("a server to be tried", async () => (await started()).length > 1);
    const commandLine = await readFile(`/proc/${run.pid}/cmdline`, "utf8");
    run.child.kill("SIGINT");
    expect((await run.result).code).toBe(130);
    for (const told of [await readFile(seen, "utf8"), commandLine, run.output()]) {
      expect(told).not.toContain(PASSWORD);
      expect(told).not.toContain("open sesame");
    }
  });

  it("and every other secret stays out of the servers that are only asked for their version", async () => {
    await using store = await temporaryStore();
    await using folder = await temporaryFolder();
    const seen = join(folder.path, "seen");
    const script = ["#!/bin/sh", `env >> ${seen}`, `exec ${findRedisServer()} "$@"`];
    await writeFile(join(folder.path, "redis-server"), `${script.join("\n")}\n`, { mode: 0o755 });
    const env = { PATH: `${folder.path}:/usr/bin:/bin`, REDISCLI_AUTH: PASSWORD };
    const secret = { REDIS_ADDON_PASSPHRASE: "open sesame", AWS_SECRET_ACCESS_KEY: "open barley" };
    const from = runFrom(`redis://127.0.0.1:${leader.port}`, store.url, "--name", "shop");
    expect(await cli.run(from, { env })).toMatchObject({ code: 0 });
    const verify = ["backup", "verify", "shop", "--store", store.url];
    expect(await cli.run(verify, { env: { ...env, ...secret } })).toMatchObject({ code: 0 });
    const told = await readFile(seen, "utf8");
    expect(told).toMatch(/^PATH=/m);
    expect(told).not.toContain("open ");
    expect(told).not.toContain(PASSWORD);
  });

  it("is asked for where the URL names a user, without an echo", async () => {
    await using store = await temporaryStore();
    const run = cli.startInTerminal(runFrom(`redis://backup@127.0.0.1:${leader.port}`, store.url));
    await run.printed(`Password of 127.0.0.1:${leader.port}: `);
    // A typing error, taken back.
    typed(run, `${PASSWORD}x\u007F`);
    expect(await run.result).toMatchObject({ code: 0 });
    expect(run.output()).not.toContain(PASSWORD.slice(0, 4));
    expect(run.output()).toContain("Archive");
  });

  it("is asked for where the server wants one that nobody has given", async () => {
    await using store = await temporaryStore();
    const run = cli.startInTerminal(runFrom(`redis://127.0.0.1:${leader.port}`, store.url));
    await run.printed("Password of ");
    typed(run, PASSWORD);
    expect(await run.result).toMatchObject({ code: 0 });
  });

  it("is missed with a sentence on how to give it where there is nobody to ask", async () => {
    await using store = await temporaryStore();
    for (const url of [`redis://127.0.0.1:${leader.port}`, `redis://backup@127.0.0.1:${leader.port}`]) {
      const run = await cli.run(runFrom(url, store.url));
      expect(run).toMatchObject({ code: 1, stdout: "" });
      expect(run.stderr).toContain("REDISCLI_AUTH");
    }
    expect(await names(store.store)).toEqual([]);
  });

  it("is refused in a URL, wherever that is written, and never repeated", async () => {
    const url = `redis://:${PASSWORD}@127.0.0.1:${leader.port}`;
    for (const args of [
      runFrom(url, "file:///nowhere"),
      ["backup", "run", url],
      ["backup", "list", url],
      ["backup", "show", url, "latest", "--store", "file:///nowhere"],
    ]) {
      const refused = await cli.run(args);
      expect(refused).toMatchObject({ code: 2, stdout: "" });
      expect(refused.stderr).not.toContain(PASSWORD);
    }
  });

  it("ends the command when Ctrl-C answers the question", async () => {
    await using store = await temporaryStore();
    const run = cli.startInTerminal(runFrom(`redis://backup@127.0.0.1:${leader.port}`, store.url));
    await run.printed("Password of ");
    run.child.stdin?.write("\u0003");
    expect((await run.result).code).toBe(130);
  });
});

describe("a passphrase to encrypt with", () => {
  it("is asked for twice: a typing error would lose the backup", async () => {
    await using store = await temporaryStore();
    const env = { REDISCLI_AUTH: PASSWORD };
    const args = runFrom(`redis://127.0.0.1:${leader.port}`, store.url, "--passphrase");
    for (const [second, code] of [
      ["open sesame", 0],
      ["open sesam", 1],
    ] as const) {
      const run = cli.startInTerminal(args, { env });
      await run.printed("Passphrase to encrypt");
      typed(run, "open sesame");
      await run.printed("The same again: ");
      typed(run, second);
      expect((await run.result).code).toBe(code);
      expect(run.output()).not.toContain("open");
    }
    expect((await names(store.store)).filter((name) => name.endsWith(".age"))).toHaveLength(1);
  });
});
