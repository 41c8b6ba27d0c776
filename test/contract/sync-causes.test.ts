import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { Failure } from "../../provider/core/errors";
import type { LeaderAddress } from "../../provider/core/render";
import type { Progress, Task } from "../../provider/core/task";
import { progressText } from "../../provider/pulumi/row";
import { waitSynced } from "../../provider/redis/wait-synced";
import { startFaultProxy } from "../support/fault-proxy";
import { follow } from "../support/linked";
import { eventually, startAddon, testRecord, testTask, type LocalAddon } from "../support/local-addon";
import { matrix, serverOf } from "../support/matrix";
import {
  freePort,
  startRedisServer,
  type RedisServer,
  type RedisServerOptions,
} from "../support/redis-server";
import { addressOf, debugOf } from "../support/stock-leader";
import { describeWith, type Tool } from "../support/tools";

const MIB = 1024 ** 2;
/** Long enough for every cause to show, short enough to wait for its end. */
const DEADLINE_MS = 2_500;

/** The failure that a wait for this leader ends with. */
async function failureOf(
  leader: LeaderAddress,
  {
    deadlineMs = DEADLINE_MS,
    task = testTask(),
    /** What runs the follower; absent: the server of everyday use. */
    like = undefined as Tool | undefined,
  } = {},
): Promise<Failure> {
  // Redis 6.2 can lead, and run no add-on.
  const isOwn = like !== undefined && !like.name.startsWith("Redis 6");
  await using addon = await startAddon(testRecord(), undefined, isOwn ? { executable: like.path } : {});
  await follow(addon, leader);
  const [waited] = await Promise.allSettled([waiting(addon, leader, deadlineMs, task)]);
  if (waited.status === "fulfilled") throw new Error(`it is ${waited.value.state}`);
  if (!(waited.reason instanceof Failure)) throw waited.reason;
  return waited.reason;
}

async function waiting(addon: LocalAddon, leader: LeaderAddress, deadlineMs: number, task: Task) {
  return waitSynced(await addon.admin(), leader, task, { deadlineMs, name: "copy" });
}

function stockLeader({ name, path }: Tool, options: RedisServerOptions = {}): Promise<RedisServer> {
  return startRedisServer({
    executable: path,
    ...options,
    args: [...debugOf(name), ...(options.args ?? [])],
  });
}

async function fill(leader: RedisServer, keys: number): Promise<void> {
  await leader.client.call("DEBUG", "POPULATE", keys, "key", 4096);
}

/** For each of these servers as a leader, one test; servers of one kind behave alike. */
function eachOf(tools: readonly Tool[], name: string, body: (leader: Tool) => Promise<void>): void {
  for (const tool of tools) describeWith([tool], tool.name, () => test(name, () => body(tool)));
}
const OLDEST_AND_NEWEST = [serverOf("Redis 6.2"), serverOf("Valkey 9")];

test("a host that has no address is named once the time is over, with the time that it took", async () => {
  const failure = await failureOf(
    { host: "no-such-host.invalid", port: 6379, password: "" },
    { deadlineMs: 500 },
  );
  expect(failure).toMatchObject({ code: "unknown-host", subject: "copy", transient: true });
  expect(failure.cause).toMatch(
    /^it is not in sync after \d+ s: connecting to the leader; the leader .*no address/,
  );
});

test("a leader that has as many clients as it takes is named", async () => {
  await using leader = await startRedisServer({ args: ["--maxclients", "8"] });
  const isLetIn = () =>
    leader
      .connect()
      .ping()
      .then(
        () => true,
        () => false,
      );
  await eventually(isLetIn, (letIn) => !letIn);
  const failure = await failureOf(addressOf(leader));
  expect(failure.code).toBe("too-many-clients");
  expect(failure.cause).toContain("as many clients as it takes (maxclients)");
  expect(failure.hint).toMatch(/raise its limit/);
});

eachOf(
  [serverOf("Redis 7.2"), serverOf("Valkey 9")],
  "a leader that is loading its own data is named",
  async (tool) => {
    await using before = await stockLeader(tool, { args: ["--rdbcompression", "no"] });
    await fill(before, 1_000);
    await before.client.save();
    const { dir, port } = before;
    await before.stop();
    const slowly = ["--key-load-delay", "4000", "--loading-process-events-interval-bytes", "1024"];
    const starting = stockLeader(tool, { dir, port, args: slowly });
    const failure = await failureOf(
      { host: "127.0.0.1", port, password: "" },
      { deadlineMs: 2_000, like: tool },
    );
    await using _ = await starting;
    expect(failure).toMatchObject({ code: "leader-loading" });
    expect(failure.cause).toMatch(/loading its (own )?data/);
  },
);

eachOf(OLDEST_AND_NEWEST, "a leader whose own link is down is named, with whom it follows", async (tool) => {
  const above = await freePort();
  await using leader = await stockLeader(tool, { args: ["--replicaof", "127.0.0.1", String(above)] });
  const failure = await failureOf(addressOf(leader), { like: tool });
  expect(failure).toMatchObject({ code: "leader-link-down" });
  expect(failure.cause).toContain(`the leader itself follows 127.0.0.1:${above}, has no link to it`);
});

eachOf(
  OLDEST_AND_NEWEST,
  "a leader that can't write its snapshot, and refuses writes for it, is named",
  async (tool) => {
    await using leader = await stockLeader(tool, {
      args: ["--repl-diskless-sync", "no", "--save", "3600 1"],
    });
    await leader.client.set("key", "value");
    // Nothing can be written there any more, by whomever.
    await rm(leader.dir, { recursive: true });
    const failure = await failureOf(addressOf(leader), { deadlineMs: 4_000, like: tool });
    expect(failure).toMatchObject({ code: "leader-cannot-save", transient: true });
    expect(failure.hint).toContain("full disk");
  },
);

eachOf(
  matrix,
  "a leader that breaks the transfer off for what it holds back for its follower is named",
  async (tool) => {
    const limit = [
      "--client-output-buffer-limit",
      "replica",
      "1mb",
      "1mb",
      "0",
      "--repl-backlog-size",
      "100kb",
    ];
    await using leader = await stockLeader(tool, { args: [...limit, "--rdbcompression", "no"] });
    await fill(leader, 5_000);
    await using link = await startFaultProxy(leader.port);
    link.set({ fromServer: { delayMs: 20 } });
    let over = false;
    const writing = async () => {
      const writer = leader.connect();
      while (!over) await writer.set("written", "x".repeat(100_000));
    };
    const written = writing().catch(() => undefined);
    const failure = await failureOf(addressOf(link), { deadlineMs: 4_000, like: tool }).finally(
      () => (over = true),
    );
    await written;
    const tellsLimit = /^(Redis 7\.4|Valkey)/.test(tool.name);
    expect(failure.code).toBe(tellsLimit ? "output-buffer-limit" : "transfer-broken");
    expect(failure.cause).toMatch(/the leader broke the transfer of its snapshot off (once|\d+ times)/);
    expect(failure.cause).toContain("client-output-buffer-limit for replicas");
    expect(failure.hint).toContain("client-output-buffer-limit");
  },
);

eachOf(
  [serverOf("Redis 7.2"), serverOf("Valkey 9")],
  "a transfer that the network breaks off is told from one that the leader breaks off",
  async (tool) => {
    await using leader = await stockLeader(tool, { args: ["--rdbcompression", "no"] });
    await fill(leader, 2_000);
    await using link = await startFaultProxy(leader.port);
    link.set({ fromServer: { cutAfterBytes: MIB, delayMs: 30 } });
    const failure = await failureOf(addressOf(link), { deadlineMs: 3_000, like: tool });
    expect(failure.code).toBe("transfer-broken");
    expect(failure.cause).toMatch(
      /broke off (once|\d+ times) after [01]\.\d MiB at most, and not by the leader's/,
    );
    expect(failure.hint).toContain("network");
  },
);

describeWith([serverOf("Redis 7.4")], "a leader that is newer", () => {
  test("is named with both versions, at once", async () => {
    await using leader = await stockLeader(serverOf("Redis 7.4"));
    const failure = await failureOf(addressOf(leader), { deadlineMs: 30_000 });
    expect(failure).toMatchObject({ code: "snapshot-format", transient: false });
    expect(failure.cause).toMatch(
      /^a server of version 7\.\S+ can't load the snapshot of a leader of version 7\.4\.1$/,
    );
    expect(failure.hint).toContain("such as 7.4.1");
  });
});

test("whoever has no time left for the whole operation hears the cause all the same", async () => {
  const ending = new AbortController();
  const port = await freePort();
  const task = { ...testTask(), signal: ending.signal };
  const report = { code: "deadline", operation: "create", subject: "copy", cause: "it took longer than 3 s" };
  const failure = await failureOf(
    { host: "127.0.0.1", port, password: "" },
    {
      deadlineMs: 60_000,
      task: {
        ...task,
        progress: ({ elapsedSeconds = 0 }) => {
          if (elapsedSeconds >= 1) ending.abort(new Failure(report));
        },
      },
    },
  );
  expect(failure).toMatchObject({ code: "refused" });
  expect(failure.cause).toMatch(/not in sync after 1 s.*nothing accepts connections/);
});

for (const { how, diskless, percent } of [
  { how: "from memory, whose size is an estimate", diskless: "yes", percent: /\(~\d+ %\)/ },
  { how: "from disk, whose size is announced", diskless: "no", percent: /of \d+\.\d MiB \(\d+ %\)/ },
])
  test(`the row shows how far a snapshot is that comes ${how}, once a second`, async () => {
    await using leader = await startRedisServer({
      args: [...debugOf("Redis 7"), "--repl-diskless-sync", diskless, "--rdbcompression", "no"],
    });
    await fill(leader, 5_000);
    await using link = await startFaultProxy(leader.port);
    link.set({ fromServer: { delayMs: 8 } });
    await using addon = await startAddon(testRecord());
    const said: Progress[] = [];
    await follow(addon, addressOf(link));
    await waiting(
      addon,
      addressOf(link),
      30_000,
      testTask((progress) => said.push(progress)),
    );
    const receiving = said.filter(({ doneBytes }) => doneBytes !== undefined).map(progressText);
    expect(receiving.length).toBeGreaterThan(1);
    for (const text of receiving) {
      expect(text).toMatch(/^receiving the leader's snapshot, \d+(\.\d)? [KM]iB .*, \d+ s$/);
      expect(text).toMatch(percent);
    }
    expect(said.every(({ elapsedSeconds }) => elapsedSeconds !== undefined)).toBe(true);
    const keys = said.map(({ message, elapsedSeconds }) => `${elapsedSeconds} ${message}`);
    expect(new Set(keys).size, "each once a second").toBe(keys.length);
    expect(said.at(-1)?.message).toBe("synced");
  });
