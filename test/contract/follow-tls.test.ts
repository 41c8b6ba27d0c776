import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inspect } from "../../provider/operations/inspect";
import { startAgent } from "../../provider/operations/agent";
import { makeAuthority } from "../support/certificates";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";
import { follows } from "../support/follow";
import type { RedisServer } from "../support/redis-server";
import { startTlsLeader } from "../support/tls-leader";
import { agentLog, make, run } from "./agent-support";

const HOST = "127.0.0.1";
const PASSWORD = "leader-s3cret";
const COPY = "copy";
const ROOMY = { memory: "128mb", connections: 100, databases: 16 } as const;
const authority = makeAuthority();
const certified = authority.issue(["redis.example"]);
const TLS = { ca: authority.certificate, serverName: "redis.example" };

const leaderWith = (of: Partial<Parameters<typeof startTlsLeader>[0]> = {}) =>
  startTlsLeader({ certified, authority: authority.certificate, ...of });

type Tls = NonNullable<Extract<Parameters<typeof follows>[1]["leader"], object>["tls"]>;

/** A follower of that port, in sync. */
async function followsBy(home: TestHome, port: number, tls: Tls | undefined, deadlineMs?: number) {
  const user = { username: "taker", password: PASSWORD };
  const address = {
    kind: "external",
    host: HOST,
    port,
    ...user,
    ...(tls === undefined ? {} : { tls }),
  } as const;
  return follows(home, { name: COPY, leader: address, ...(deadlineMs === undefined ? {} : { deadlineMs }) });
}

/** With some data, and a user that may replicate from it. */
async function filled({ server }: { readonly server: RedisServer }): Promise<void> {
  const rules = ["on", `>${PASSWORD}`, "-@all", "+psync", "+sync", "+replconf", "+ping", "+info"];
  await server.client.call("ACL", "SETUSER", "taker", ...rules);
  await server.client.mset(...Array.from({ length: 2_000 }, (_, i) => [`key:${i}`, `value ${i}`]).flat());
  await server.client.set("bytes", Buffer.alloc(3_000_000, "\r\n\0x"));
}

async function counted(client: RedisServer["client"], field: string): Promise<number> {
  return Number(new RegExp(`^${field}:(\\d+)`, "m").exec(await client.info())?.[1]);
}

/** Where the follower's server was told that its leader is. */
async function toldPort(home: TestHome): Promise<number> {
  const told = [...(await agentLog(home)).matchAll(/copy: follows 127\.0\.0\.1:(\d+)/g)].at(-1)?.[1];
  return Number(told);
}

test("by TLS comes all that the leader has, and its agent's successor goes on without another snapshot", async () => {
  await using leader = await leaderWith();
  await using home = await makeTestHome();
  await filled(leader);
  await make(home, COPY, { plan: ROOMY });
  const { record } = await followsBy(home, leader.tlsPort, TLS);
  expect(await run(record, "DBSIZE")).toBe(2_001);
  expect(await run(record, "STRLEN", "bytes")).toBe(3_000_000);

  const { client } = leader.server;
  await client.set("live", "1");
  await eventually("what is written arrives", async () => (await run(record, "GET", "live")) === "1");
  const status = await inspect(home.platform, COPY, home.task);
  expect(status?.replication).toMatchObject({
    role: "follower",
    leader: { host: HOST, port: leader.tlsPort },
    sync: { state: "synced" },
  });

  const [snapshots, port] = [await counted(client, "sync_full"), await toldPort(home)];
  expect(port).not.toBe(leader.tlsPort);
  process.kill(await home.agentPid(), "SIGKILL");
  await client.set("meanwhile", "1");
  await startAgent(home.path, home.task);
  await eventually("the link is back", async () => (await run(record, "GET", "meanwhile")) === "1");
  expect(await counted(client, "sync_full")).toBe(snapshots);
  expect(await counted(client, "sync_partial_ok")).toBeGreaterThan(0);
  expect(await toldPort(home)).not.toBe(port);

  const log = await agentLog(home);
  expect(log).toContain(`linked to its leader ${HOST}:${leader.tlsPort} by TLS`);
  expect(log).not.toContain(PASSWORD);
});

test("a leader that asks for a client's certificate gets it, and no file but the record holds its key", async () => {
  await using leader = await leaderWith({ clients: "yes" });
  await using home = await makeTestHome();
  await filled(leader);
  await make(home, COPY, { plan: ROOMY });
  await expect(followsBy(home, leader.tlsPort, TLS)).rejects.toThrow(
    /client's certificate|connection was closed/,
  );
  const own = authority.issue(["client"]);
  const shown = { ...TLS, certificate: own.certificate, key: own.key };
  const { record } = await followsBy(home, leader.tlsPort, shown);
  expect(await run(record, "DBSIZE")).toBe(2_001);
  const files = await Promise.all(
    ["redis.conf", "server.log", "process.json"].map((file) =>
      readFile(join(home.path, "addons", COPY, file), "utf8"),
    ),
  );
  expect([...files, await agentLog(home)].join()).not.toContain("PRIVATE KEY");
});

test("a leader that isn't the one that is trusted is refused before anything is touched", async () => {
  await using leader = await leaderWith();
  await using home = await makeTestHome();
  await make(home, COPY, { plan: ROOMY });
  const another = makeAuthority("another").certificate;
  const cases: readonly (readonly [Tls, string])[] = [
    [{ ...TLS, ca: another }, "tls-not-trusted"],
    [{ serverName: TLS.serverName }, "tls-not-trusted"],
    [{ ...TLS, serverName: "other.example" }, "tls-wrong-name"],
    [{ ca: TLS.ca }, "tls-wrong-name"],
    [{ ...TLS, certificate: "no PEM", key: "neither" }, "tls-bad-file"],
  ];
  for (const [tls, code] of cases)
    await expect(followsBy(home, leader.tlsPort, tls)).rejects.toMatchObject({ code });
  expect((await home.platform.load(COPY))?.replication).toBeUndefined();
  expect(await counted(leader.server.client, "sync_full")).toBe(0);
});

test("a certificate that has expired, no TLS where it is wished, and TLS where none is, are told as that", async () => {
  const late = { until: new Date(Date.now() - 1_000) };
  await using expired = await leaderWith({ certified: authority.issue(["redis.example"], late) });
  await using leader = await leaderWith();
  await using home = await makeTestHome();
  await make(home, COPY, { plan: ROOMY });
  await expect(followsBy(home, expired.tlsPort, TLS)).rejects.toMatchObject({
    code: "tls-expired",
    hint: expect.stringContaining("clock"),
  });
  await expect(followsBy(home, leader.server.port, TLS, 1_000)).rejects.toMatchObject({ code: "no-tls" });
  await expect(followsBy(home, leader.tlsPort, undefined, 1_000)).rejects.toMatchObject({
    hint: expect.stringContaining("TLS"),
  });
});

test("a certificate that expires later breaks no link, and its cause is in the log and the status", async () => {
  const soon = { until: new Date(Date.now() + 6_000) };
  await using leader = await leaderWith({ certified: authority.issue(["redis.example"], soon) });
  await using home = await makeTestHome();
  await filled(leader);
  await make(home, COPY, { plan: ROOMY });
  const { record } = await followsBy(home, leader.tlsPort, TLS);
  await eventually("it has expired", async () => Date.now() > soon.until.getTime() + 1_000);
  await leader.server.client.set("live", "1");
  await eventually("what is written arrives", async () => (await run(record, "GET", "live")) === "1");
  await leader.server.client.call("CLIENT", "KILL", "TYPE", "replica");
  await eventually("its status says why it has no link", async () => {
    const status = await inspect(home.platform, COPY, home.task);
    const replication = status?.replication;
    return replication?.role === "follower" && JSON.stringify(replication.sync).includes("expired");
  });
  await eventually("so does the log", async () => (await agentLog(home)).includes("certificate has expired"));
});

test("nobody relays any more for an add-on that was promoted", async () => {
  await using leader = await leaderWith();
  await using home = await makeTestHome();
  await filled(leader);
  await make(home, COPY, { plan: ROOMY });
  const { record } = await followsBy(home, leader.tlsPort, TLS);
  await leader.server.client.set("live", "1");
  await eventually("what is written arrives", async () => (await run(record, "GET", "live")) === "1");
  const first = await toldPort(home);
  expect(await accepts(first)).toBe(true);
  const address = {
    kind: "external",
    host: HOST,
    port: leader.tlsPort,
    password: PASSWORD,
    tls: TLS,
  } as const;
  const { finalOffset } = await follows(home, { name: COPY, leader: address, position: "promoted" });
  expect(finalOffset).toBeGreaterThan(0);
  expect(await run(record, "GET", "live")).toBe("1");
  expect(await accepts(first)).toBe(false);
});

/** Whether anybody listens there. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: HOST, port });
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
