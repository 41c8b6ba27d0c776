import { createServer } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { Secret } from "../../provider/core/secret";
import type { LeaderTls } from "../../provider/redis/replication/leader";
import { openSnapshot } from "../../provider/redis/replication/snapshot";
import { type Certified, makeAuthority } from "../support/certificates";
import { startTlsLeader } from "../support/tls-leader";
import { task } from "./backup-support";
import { whole } from "../support/whole";

const HOST = "127.0.0.1";
const authority = makeAuthority();
const certified = authority.issue(["localhost", "redis.example"]);

/** A server with a plain port and one for TLS; `clients`: whether it asks for their certificate. */
async function withTls(shown: Certified = certified, clients: "yes" | "no" = "no") {
  const leader = await startTlsLeader({ certified: shown, authority: authority.certificate, clients });
  await leader.server.client.mset("a", 1, "b", 2);
  return leader;
}

const TRUSTED: LeaderTls = { ca: authority.certificate, serverName: "redis.example" };

/** The failure of a capture; its text must hold no part of a key. */
async function failure(port: number, tls: LeaderTls | undefined, host = HOST): Promise<unknown> {
  try {
    const snapshot = await openSnapshot({ host, port, tls }, task());
    snapshot.close();
  } catch (error) {
    expect(String(error)).not.toContain("PRIVATE KEY");
    return error;
  }
  return "no failure";
}

test("by TLS comes the same snapshot, to a user with a name and a password", async () => {
  await using leader = await withTls();
  await leader.server.client.call("ACL", "SETUSER", "taker", "on", ">s3cret", "-@all", "+psync", "+replconf");
  const user = { username: "taker", password: new Secret("s3cret") };
  const snapshot = await openSnapshot({ host: HOST, port: leader.tlsPort, tls: TRUSTED, ...user }, task());
  const bytes = await whole(snapshot.content);
  expect(bytes.toString("latin1", 0, 5)).toMatch(/^(REDIS|VALKE)$/);
  expect(await leader.server.client.wait(1, 10)).toBe(0);
});

test("the host's own name is what the certificate must have, unless another is given", async () => {
  await using leader = await withTls();
  const ca = authority.certificate;
  expect(await failure(leader.tlsPort, { ca }, "localhost")).toBe("no failure");
  expect(await failure(leader.tlsPort, { ca })).toMatchObject({
    code: "tls-wrong-name",
    cause: "its certificate is not for 127.0.0.1, but for: DNS:localhost, DNS:redis.example",
    hint: expect.stringContaining("host name"),
  });
  expect(await failure(leader.tlsPort, { ca, serverName: "other.example" }, "localhost")).toMatchObject({
    code: "tls-wrong-name",
  });
});

test("an address is a name that a certificate can have as well", async () => {
  await using leader = await withTls(authority.issue([HOST]));
  expect(await failure(leader.tlsPort, { ca: authority.certificate })).toBe("no failure");
  expect(await failure(leader.tlsPort, { ca: authority.certificate, serverName: HOST }, "localhost")).toBe(
    "no failure",
  );
});

test("a certificate of an authority that is not trusted is refused, the system's being what is trusted", async () => {
  await using leader = await withTls();
  const serverName = "redis.example";
  for (const tls of [{ serverName }, { serverName, ca: makeAuthority("another").certificate }])
    expect(await failure(leader.tlsPort, tls)).toMatchObject({
      code: "tls-not-trusted",
      hint: expect.stringContaining("authority"),
      transient: false,
    });
});

test.each([
  ["has expired", { until: new Date(Date.now() - 1_000) }, "has expired"],
  ["is not valid yet", { from: new Date(Date.now() + 3_600_000) }, "not valid yet"],
])("a certificate that %s is told as that, with a word on the clock", async (_, valid, cause) => {
  await using leader = await withTls(authority.issue(["redis.example"], valid));
  expect(await failure(leader.tlsPort, TRUSTED)).toMatchObject({
    code: "tls-expired",
    cause: expect.stringContaining(cause),
    hint: expect.stringContaining("clock"),
  });
});

test("a server that asks for a client's certificate gets it, and is understood when it gets none", async () => {
  await using leader = await withTls(certified, "yes");
  const own = authority.issue(["client"]);
  const shown = { certificate: own.certificate, key: new Secret(own.key) };
  expect(await failure(leader.tlsPort, { ...TRUSTED, ...shown })).toBe("no failure");
  const missing = await failure(leader.tlsPort, TRUSTED);
  // The server hangs up right after its word; where the network drops that, only the hint is left.
  expect(missing).toMatchObject({
    code: expect.stringMatching(/^(tls-certificate-needed|leader-unreachable)$/),
  });
  expect(String(missing)).toMatch(/client's certificate/);
  const foreign = makeAuthority("another").issue(["client"]);
  const refused = await failure(leader.tlsPort, {
    ...TRUSTED,
    certificate: foreign.certificate,
    key: new Secret(foreign.key),
  });
  expect(refused).toMatchObject({
    code: expect.stringMatching(/^(tls-certificate-refused|leader-unreachable)$/),
  });
});

test("files that are no certificate, or a key of another one, are told before anything is sent", async () => {
  await using leader = await withTls();
  const other = authority.issue(["client"]);
  const bad: LeaderTls[] = [
    { ...TRUSTED, certificate: other.certificate, key: new Secret(certified.key) },
    { ...TRUSTED, certificate: "not PEM", key: new Secret(certified.key) },
    { ...TRUSTED, certificate: certified.certificate, key: new Secret("not PEM") },
  ];
  for (const tls of bad) expect(await failure(leader.tlsPort, tls)).toMatchObject({ code: "tls-bad-file" });
});

test("a port that wants TLS is recognised by a connection without", async () => {
  await using leader = await withTls();
  expect(await failure(leader.tlsPort, undefined)).toMatchObject({
    code: expect.stringMatching(/^(tls-needed|leader-unreachable)$/),
    hint: expect.stringContaining("TLS"),
  });
});

test.each([
  ["answers something else", "-ERR unknown command\r\n"],
  ["hangs up", undefined],
])("a port that speaks no TLS is recognised when it %s", async (_, answer) => {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => (answer === undefined ? socket.end() : socket.write(answer)));
  }).listen(0, HOST);
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    expect(await failure(port, TRUSTED)).toMatchObject({
      code: "no-tls",
      hint: "Check the port, or connect without TLS",
    });
  } finally {
    server.close();
  }
});
