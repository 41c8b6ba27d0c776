import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { portOf, startFaultProxy } from "../support/fault-proxy";
import { findRedisServer, startRedisServer, type RedisServer } from "../support/redis-server";
import { names, temporaryFolder, temporaryStore } from "./backup-support";
import { AT_ONCE, makeCli, type Cli } from "./cli-support";

let cli: Cli;
let leader: RedisServer;

beforeAll(async () => {
  [cli, leader] = await Promise.all([
    makeCli(),
    startRedisServer({ args: ["--enable-debug-command", "yes", ...AT_ONCE] }),
  ]);
  await leader.client.call("DEBUG", "POPULATE", "5000", "key", "1000");
});
afterAll(async () => {
  await leader[Symbol.asyncDispose]();
  await cli[Symbol.asyncDispose]();
});

describe("a backup that is interrupted", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("by %s in the middle leaves nothing in the store and says so", async (signal, code) => {
    await using store = await temporaryStore();
    await using proxy = await startFaultProxy(leader.port);
    proxy.set({ fromServer: { delayMs: 50 } });
    const run = cli.start(["backup", "run", "--from", `redis://127.0.0.1:${proxy.port}`, "--to", store.url]);
    await run.printed("receiving the snapshot");
    run.child.kill(signal);
    const result = await run.result;
    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr).toContain("it was interrupted; there is no backup, and nothing is left of it");
    expect(await names(store.store)).toEqual([]);
  });

  it("while it is verified stays in the store, unverified, and the message says so", async () => {
    await using store = await temporaryStore();
    await using folder = await temporaryFolder();
    // A server that never gets ready.
    const script = `#!/bin/sh\n[ "$1" = --version ] && exec ${findRedisServer()} --version\nexec sleep 600\n`;
    await writeFile(join(folder.path, "redis-server"), script, { mode: 0o755 });
    const env = { PATH: `${folder.path}:/usr/bin:/bin` };
    const from = ["--from", `redis://127.0.0.1:${leader.port}`];
    const run = cli.start(["backup", "run", ...from, "--to", store.url], { env });
    await run.printed("checking the snapshot");
    run.child.kill("SIGINT");
    const result = await run.result;
    expect(result.code).toBe(130);
    expect(result.stderr).toMatch(/it was interrupted; backup \d{8}T\d{9}Z was taken, but is not verified/);
    const stored = await names(store.store);
    expect(stored.map((key) => key.replace(/^.*Z/, ""))).toEqual([
      expect.stringMatching(/^-\w+\.tar\.gz$/),
      ".json",
    ]);
  });

  it("ends at once at the second Ctrl-C, whatever still keeps it", async () => {
    // A store that takes connections and never answers.
    const silent = createServer().listen(0, "127.0.0.1");
    const port = await portOf(silent);
    const to = `s3://bucket/redis?endpoint=http://127.0.0.1:${port}&region=us-east-1`;
    const env = { AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret" };
    const args = [
      "backup",
      "run",
      "--name",
      "shop",
      "--from",
      `redis://127.0.0.1:${leader.port}`,
      "--to",
      to,
    ];
    const run = cli.start(args, { env });
    await once(silent, "connection");
    run.child.kill("SIGINT");
    await run.printed("Ctrl-C again ends it at once");
    run.child.kill("SIGINT");
    const result = await run.result;
    silent.close();
    expect(result.code).toBe(130);
    // Its last word would have been this, once it had given up looking into the store.
    expect(result.stderr).not.toContain("cannot back up");
  });

  it("is no obstacle to the next one", async () => {
    await using store = await temporaryStore();
    await using proxy = await startFaultProxy(leader.port);
    proxy.set({ fromServer: { delayMs: 50 } });
    const args = ["backup", "run", "--from", `redis://127.0.0.1:${proxy.port}`, "--to", store.url];
    const run = cli.start(args);
    await run.printed("receiving the snapshot");
    run.child.kill("SIGKILL");
    await run.result;
    proxy.set({});
    expect((await cli.run(args)).code).toBe(0);
  });
});
