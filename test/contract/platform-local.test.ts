import { fork } from "node:child_process";
import { once } from "node:events";
import { appendFile, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { agentStatus, startAgent, stopAgent } from "../../provider/operations/agent";
import { inspectAll } from "../../provider/operations/inspect";
import { replaceRecord, saveRecord } from "../../provider/agent/records/record-file";
import { layoutOf } from "../../provider/platforms/local/home";
import { readRecord } from "../../provider/platforms/local/records";
import { provision } from "../support/provision";
import { localPlatform } from "../../provider/platforms/local/local-platform";
import { makeCheckout } from "../support/checkout";
import { carries, creates, makeTestHome, SMALL, type TestHome } from "../support/data-home";
import { testRecord } from "../support/local-addon";

/** Reserved for documentation: no machine has it. */
const NOBODYS = "192.0.2.1";

function make(home: TestHome, name: string, bind = "127.0.0.1") {
  const request = { name, claim: creates("t1"), wish: { ...SMALL, bind }, given: ["plan"] };
  return provision(home.platform, request, home.task);
}

it("refuses in the preview the settings that don't go with the plan or with the server's version", async () => {
  await using home = await makeTestHome();
  const question = (settings: Record<string, string>) => ({
    name: "cache",
    bind: "127.0.0.1",
    size: { plan: "s_mono", settings } as const,
  });
  expect(await home.platform.check(question({ timeout: "300" }))).toEqual([]);
  expect(await home.platform.check(question({ "repl-backlog-size": String(64 * 1024 ** 2) }))).toEqual([
    { property: "settings.repl-backlog-size", reason: expect.stringContaining('"32mb"') },
  ]);
  expect(await home.platform.check(question({ "of-another-time": "1" }))).toMatchObject([
    { property: "settings.of-another-time" },
  ]);
});

describe("the addresses of an add-on", { concurrent: true }, () => {
  it("are refused in the preview, and before anything is touched, where this machine doesn't have them", async () => {
    await using home = await makeTestHome();
    expect(await home.platform.check({ name: "cache", bind: NOBODYS })).toEqual([
      { property: "bind", reason: expect.stringContaining(`this machine has no address ${NOBODYS}`) },
    ]);
    await expect(make(home, "other", NOBODYS)).rejects.toThrow(`no address ${NOBODYS}`);

    const { server } = await make(home, "cache");
    const pid = await home.serverPid("cache");
    const bind = `127.0.0.1 ${NOBODYS}`;
    expect(await home.platform.check({ name: "cache", bind })).toMatchObject([{ property: "bind" }]);
    const update = { name: "cache", claim: carries("t1"), wish: { ...SMALL, bind }, given: [] };
    await expect(provision(home.platform, update, home.task)).rejects.toMatchObject({
      code: "cannot-listen",
    });
    expect((await home.platform.load("cache"))?.server.wish).toEqual(server.wish);
    expect(await home.serverPid("cache")).toBe(pid);
  });

  it.runIf(process.platform === "linux")("may be several, and the server listens on each", async () => {
    await using home = await makeTestHome();
    const { server } = await make(home, "cache", "127.0.0.1 127.0.0.2");
    for (const host of ["127.0.0.1", "127.0.0.2"]) {
      const socket = connect(server.wish.port, host);
      await once(socket, "connect");
      socket.destroy();
    }
  });

  it.runIf(process.platform === "linux")(
    "are looked at on the recorded port where they are new",
    async () => {
      await using home = await makeTestHome();
      const { port } = (await make(home, "cache")).server.wish;
      expect(await home.platform.check({ name: "cache", bind: "127.0.0.1" })).toEqual([]);
      expect(await home.platform.check({ name: "cache", bind: "0.0.0.0" })).toEqual([]);
      expect(await home.platform.check({ name: "cache", bind: "127.0.0.1 127.0.0.2" })).toEqual([]);
      const squatter = createServer().listen(port, "127.0.0.2");
      await once(squatter, "listening");
      try {
        const question = { name: "cache", bind: "127.0.0.1 127.0.0.2" };
        expect(await home.platform.check(question)).toEqual([
          { property: "bind", reason: expect.stringContaining(`port ${port} of 127.0.0.2 is taken`) },
        ]);
      } finally {
        squatter.close();
      }
    },
  );

  it("are refused with a port that somebody else listens on", async () => {
    await using home = await makeTestHome();
    const squatter = createServer().listen(0, "127.0.0.1");
    await once(squatter, "listening");
    const { port } = squatter.address() as AddressInfo;
    try {
      expect(await home.platform.check({ name: "cache", bind: "127.0.0.1", port })).toEqual([
        { property: "port", reason: expect.stringContaining(`taken by process ${process.pid}`) },
      ]);
    } finally {
      squatter.close();
    }
  });
});

it("lists, checks and creates add-ons beside one whose record it can't read", async () => {
  await using home = await makeTestHome();
  const newer = join(home.path, "addons", "newer");
  await mkdir(newer, { recursive: true });
  await writeFile(join(newer, "record.json"), JSON.stringify({ ...testRecord({ port: 29_998 }), format: 3 }));
  try {
    await make(home, "cache");
    const unreadable: string[] = [];
    const seen = await inspectAll(home.platform, home.task, ({ subject }) => unreadable.push(subject));
    expect(seen.map(({ name }) => name)).toEqual(["cache"]);
    expect(unreadable).toEqual(["newer"]);
    expect(await home.platform.check({ name: "more", bind: "127.0.0.1", port: 29_998 })).toMatchObject([
      { property: "port", reason: expect.stringContaining("belongs to the add-on newer") },
    ]);
    await expect(home.platform.load("newer")).rejects.toMatchObject({ code: "record-unreadable" });
  } finally {
    await rm(newer, { recursive: true });
  }
});

it("keeps an agent from before restores were written from taking a record for one without", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rah-"));
  try {
    const layout = layoutOf(folder);
    const record = testRecord({ port: 29_997 });
    const { name } = record;
    const from = { addon: name, backup: "latest" };
    const restoring = {
      from,
      backup: "20260501T030000000Z",
      archive: "file:///a",
      since: "2026-05-01T03:00:01Z",
    };
    const format = async () => {
      const written: unknown = JSON.parse(await readFile(layout.addon(name).record, "utf8"));
      return (written as { readonly format: number }).format;
    };
    await saveRecord(layout, { ...record, restoring });
    expect(await format()).toBe(2);
    expect(await readRecord(layout, name)).toEqual({ ...record, restoring });
    expect(await replaceRecord(layout, { ...record, restoring }, record)).toBe(true);
    expect(await format()).toBe(1);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it.runIf(process.getuid?.() === 0)("leaves another user's data home alone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rah-"));
  try {
    await chown(folder, 12_345, 12_345);
    const reason = `${folder} belongs to user 12345, and this runs as root`;
    expect(await localPlatform(folder).check({ name: "cache", bind: "127.0.0.1" })).toEqual([
      { property: "platform", reason: expect.stringContaining(reason) },
    ]);
    const task = {
      signal: AbortSignal.timeout(20_000),
      clock: { now: () => 0, sleep: () => Promise.resolve() },
    };
    await expect(startAgent(folder, { ...task, progress: () => undefined })).rejects.toThrow(reason);
    expect(await readdir(folder)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe("the agent's program", { concurrent: true }, () => {
  it("is copied anew where its copy was damaged", async () => {
    await using home = await makeTestHome();
    for (const damaged of [
      ["dist", "provider", "agent", "main.js"],
      ["node_modules", "zod", "package.json"],
    ]) {
      await startAgent(home.path, home.task);
      await stopAgent(home.path, true, home.task);
      const programs = join(home.path, "programs");
      const [copy = ""] = (await readdir(programs)).filter((entry) => !entry.startsWith("node-"));
      await writeFile(join(programs, copy, ...damaged), "");
      await startAgent(home.path, home.task);
      expect((await agentStatus(home.path)).agent?.program).toBe(copy);
      expect(await readdir(programs)).not.toContainEqual(expect.stringMatching(/\.tmp$/));
    }
  });

  it("that ends instead of serving is reported at once, with what its log says", async () => {
    await using home = await makeTestHome();
    const addons = join(home.path, "addons");
    await writeFile(addons, "a file where the agent needs a folder");
    try {
      const startedAt = Date.now();
      await expect(startAgent(home.path, home.task)).rejects.toThrow(
        /it ended with exit code 1; its log ends with: .*agent failed: .*EEXIST/,
      );
      expect(Date.now() - startedAt).toBeLessThan(15_000);
    } finally {
      await rm(addons);
    }
  });
});

/** A checkout of its own, whose build differs from ours; tests run from this package's, which stays untouched. */
async function makeBuild(mark: string): Promise<{ folder: string } & AsyncDisposable> {
  const checkout = await makeCheckout();
  await appendFile(join(checkout.folder, "dist", "provider", "index.js"), `\n// ${mark}\n`);
  return checkout;
}

const CREATES = `
const [, , checkout, home, ...names] = process.argv;
const load = (path) => require(checkout + "/dist/provider/" + path);
const { openPlatform } = load("operations/open-platform.js");
const { provision } = load("operations/provision.js");
const { systemClock } = load("system/clock.js");
const task = { signal: AbortSignal.timeout(50000), clock: systemClock, progress: () => undefined };
const wish = ${JSON.stringify(SMALL)};
const claim = { kind: "create", token: "t1", caller: { project: "shop", stack: "dev" } };
(async () => {
  const platform = await openPlatform({ kind: "local", dataHome: home });
  for (const name of names) await provision(platform, { name, claim, wish, given: [] }, task);
})().catch((error) => { console.error(String(error)); process.exitCode = 1; });
`;

it("changes hands between two builds of one version once for each, and both finish", async () => {
  await using home = await makeTestHome();
  await using first = await makeBuild("first");
  await using second = await makeBuild("second");
  const script = join(first.folder, "creates.cjs");
  await writeFile(script, CREATES);
  const codes = await Promise.all(
    [first.folder, second.folder].map(async (checkout, i) => {
      const child = fork(script, [checkout, home.path, `a${i}`, `b${i}`, `c${i}`], { stdio: "inherit" });
      return (await once(child, "exit"))[0] as number;
    }),
  );
  expect(codes).toEqual([0, 0]);
  expect(await home.platform.names()).toHaveLength(6);
  const starts = (await readFile(join(home.path, "agent.log"), "utf8")).match(/ serves /g);
  expect(starts?.length).toBeLessThanOrEqual(3);
});
