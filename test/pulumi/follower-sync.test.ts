import type { EngineEvent } from "@pulumi/pulumi/automation";
import { once } from "node:events";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { connectAdmin } from "../../provider/operations/connect-admin";
import { eventually } from "../support/data-home";
import { startFaultProxy, type FaultProxy } from "../support/fault-proxy";
import { makePulumiProject, type PulumiProject } from "../support/pulumi-project";
import { startRedisServer, type RedisServer } from "../support/redis-server";
import { read, secretOutput, succeed, up } from "../support/stack-user";

/** The wait for a sync that takes long: from a leader elsewhere, with data, over a link that can be slowed and stopped. */
const PASSWORD = "hush-hush";
const NAME = "shop-dev-copy";
const KEYS = 3_000;
/** Of 4 KiB each, and not compressed: the snapshot comes in some two hundred pieces. */
const VALUE_BYTES = 4096;

let project: PulumiProject;
let leader: RedisServer;
let link: FaultProxy;

beforeAll(async () => {
  project = await makePulumiProject();
  // It writes its snapshot to its disk first, and takes some seconds for that.
  const delays = ["--repl-diskless-sync", "no", "--rdb-key-save-delay", "500", "--rdbcompression", "no"];
  const debug = ["--enable-debug-command", "local"];
  leader = await startRedisServer({
    args: ["--databases", "1", "--requirepass", PASSWORD, ...delays, ...debug],
  });
  link = await startFaultProxy(leader.port);
  await asLeader("DEBUG", "POPULATE", KEYS, "key", VALUE_BYTES);
  await project.pulumi("stack", "init", "dev");
});
afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await link[Symbol.asyncDispose]();
  await leader[Symbol.asyncDispose]();
});

beforeEach(async () => {
  link.set({});
  await project.program(program());
  await up(project);
});

/** `options`: the RedisFollower's; absent: there is none, and the add-on is an empty one. */
const program = (options?: string, password = PASSWORD) => `
  const { RedisAddon, RedisFollower } = require("pulumi-redis-addon");
  if (${options !== undefined}) {
    const copy = new RedisAddon("copy", { plan: "s_mono" });
    const leader = { host: "127.0.0.1", port: ${link.port}, password: ${JSON.stringify(password)} };
    new RedisFollower("following", { addon: copy, leader }, ${options});
    exports.copy = copy.redisUrl;
  }`;

function asLeader(...command: [string, ...(string | number)[]]): Promise<unknown> {
  const [name, ...args] = command;
  return leader.connect({ password: PASSWORD }).call(name, ...args);
}

async function keysOfCopy(): Promise<unknown> {
  const record = await project.home.platform.load(NAME);
  if (record === undefined) throw new Error("there is no such add-on");
  await using server = await connectAdmin(project.home.platform, record, project.home.task);
  return await server.command("DBSIZE");
}

/** As soon as there is a server: each key that it loads takes so long. */
async function slowLoading(microseconds: number): Promise<void> {
  await eventually("the add-on's server answers", async () => {
    const record = await project.home.platform.load(NAME);
    if (record === undefined) return false;
    try {
      await using server = await connectAdmin(project.home.platform, record, project.home.task);
      return (await server.command("CONFIG", "SET", "key-load-delay", microseconds)) === "OK";
    } catch {
      return false;
    }
  });
}

/** The live text on the follower's row, in order. */
function rowOf(events: readonly EngineEvent[]): string[] {
  return events.flatMap(({ diagnosticEvent: diagnostic }) =>
    diagnostic?.ephemeral === true && diagnostic.urn?.endsWith(":RedisFollower::following") === true
      ? [diagnostic.message.trim()]
      : [],
  );
}

const CONNECTING = /^connecting to the leader: .*, \d+ s$/;
const WAITING = /^waiting for the leader's snapshot(: .*)?, \d+ s$/;
const RECEIVING = /^receiving the leader's snapshot, [\d.]+ [KM]iB of [\d.]+ MiB \((\d+) %\), \d+ s$/;
const LOADING = /^loading the data, \d+ %, \d+ s$/;
const SYNCED = /^synced, \d+ s$/;

test("its own row tells how far it is, in order and with the seconds so far, and at last how long it took", async () => {
  await project.program(program("{}"));
  const events: EngineEvent[] = [];
  const stack = await project.stack();
  const running = stack.up({ onEvent: (event) => events.push(event) });
  await slowLoading(500);
  await eventually("it follows", async () => (await project.home.platform.load(NAME))?.replication);
  // The leader can't be had for a moment, and is far away from then on.
  link.set({ refuse: true });
  link.resetAll();
  await eventually("it is told", async () => rowOf(events).some((text) => CONNECTING.test(text)));
  link.set({ fromServer: { delayMs: 15 } });
  await running;

  const row = rowOf(events);
  let at = -1;
  for (const step of [CONNECTING, WAITING, RECEIVING, LOADING, SYNCED]) {
    const next = row.findIndex((text, index) => index > at && step.test(text));
    expect(next, `${step} in\n${row.join("\n")}`).toBeGreaterThan(at);
    at = next;
  }
  const received = row.flatMap((text) => RECEIVING.exec(text)?.[1] ?? []).map(Number);
  expect(received.length).toBeGreaterThan(2);
  expect(received).toEqual(received.toSorted((a, b) => a - b));
  const seconds = row.flatMap((text) => /(\d+) s\b/.exec(text)?.[1] ?? []).map(Number);
  expect(new Set(seconds).size).toBeGreaterThan(2);
  expect(await keysOfCopy()).toBe(KEYS);
});

test("customTimeouts end the wait, the error names what is wrong, and the next update goes on", async () => {
  await project.program(program(`{ customTimeouts: { create: "8s" } }`));
  link.set({ fromServer: { cutAfterBytes: 2 * 1024 ** 2, delayMs: 5 } });
  const { code, output } = await project.pulumi("up", "--yes", "--skip-preview", "--stack", "dev");
  expect(code).not.toBe(0);
  expect(output).toMatch(
    /error: .*\n?.*cannot follow shop-dev-copy: it is not in sync after \d+ s: .*broke off/,
  );
  expect(output).not.toContain(PASSWORD);

  link.set({});
  expect((await up(project)).output).toMatch(/1 updated|1 created/);
  expect(await keysOfCopy()).toBe(KEYS);
  await succeed(project, "preview", "--expect-no-changes");
});

test("after a second Ctrl-C in the middle of a sync the next update goes on", async () => {
  await project.program(program("{}"));
  link.set({ fromServer: { delayMs: 100 } });
  const run = project.start("up", "--yes", "--skip-preview", "--stack", "dev");
  const ended = once(run, "exit");
  let output = "";
  for (const stream of [run.stdout, run.stderr])
    stream?.on("data", (data: Buffer) => (output += String(data)));
  await eventually("it receives the snapshot", async () => output.includes("receiving the"), 60_000);
  run.kill("SIGINT");
  await eventually("it has heard of it", async () => /cancell/i.test(output));
  run.kill("SIGINT");
  await ended;
  expect(await project.home.platform.load(NAME)).toHaveProperty("replication");

  link.set({});
  await up(project);
  await succeed(project, "refresh", "--yes", "--skip-preview", "--clear-pending-creates");
  expect(await keysOfCopy()).toBe(KEYS);
  await succeed(project, "preview", "--expect-no-changes");
});

test("a new password of the leader arrives without a lost link, and a broken link comes back with it", async () => {
  const rotated = "the next one";
  await project.program(program("{}"));
  await up(project);
  const links = () => asLeader("CLIENT", "LIST", "TYPE", "replica");
  const idOf = (list: unknown) => /^id=(\d+) /.exec(String(list))?.[1];
  const before = idOf(await links());
  expect(before).toBeDefined();
  await asLeader("ACL", "SETUSER", "default", `>${rotated}`);
  await project.program(program("{}", rotated));
  const { output } = await up(project);
  expect(output).not.toContain(rotated);
  await asLeader("ACL", "SETUSER", "default", `<${PASSWORD}`);
  const newcomer = leader.connect({ password: rotated });
  expect(idOf(await newcomer.call("CLIENT", "LIST", "TYPE", "replica"))).toBe(before);

  const syncs = async () => /sync_full:(\d+)/.exec(await newcomer.info("stats"))?.[1];
  const full = await syncs();
  link.resetAll();
  await newcomer.set("afterwards", "x");
  const copy = await secretOutput(project, "copy");
  await eventually("the link is back", async () => (await read(copy, "afterwards")) === "x", 60_000);
  expect(await syncs()).toBe(full);
  await newcomer.call("ACL", "SETUSER", "default", `>${PASSWORD}`);
});
