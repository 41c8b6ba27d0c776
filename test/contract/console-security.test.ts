import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listenHttp } from "../../provider/console/http-server";
import { SECURITY_HEADERS } from "../../provider/console/security/headers";
import { logTo } from "../../provider/system/log";
import { makeAuthority } from "../support/certificates";
import { startConsole, type TestConsole } from "../support/console";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let shared: TestConsole;
beforeAll(async () => {
  shared = await startConsole();
});
afterAll(() => shared[Symbol.asyncDispose]());

/** What is sent as it stands; resolves to all that is answered until the connection is closed. */
async function talk(port: number, ...words: readonly string[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  for (const word of words) socket.write(word);
  return text(socket);
}

function pathOf(url: string): string {
  return new URL(url).pathname + new URL(url).search;
}

describe("the login", () => {
  it("exchanges the address for a cookie that no script and no other site gets, and shows pages from then on", async () => {
    const { status, headers } = await shared.ask(pathOf(shared.loginUrl()));
    expect(status).toBe(303);
    expect(headers).toMatchObject({
      location: "/",
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
    });
    const [cookie = "", ...others] = headers["set-cookie"] ?? [];
    expect(others).toEqual([]);
    expect(cookie.split("; ").slice(1).sort()).toEqual(["HttpOnly", "Path=/", "SameSite=Strict"]);
    expect(cookie).not.toContain(new URL(shared.loginUrl()).searchParams.get("token"));
    expect((await shared.ask("/", { headers: { cookie: cookie.split(";")[0] ?? "" } })).status).toBe(200);
  });

  it("takes an address once, and says then how to get another one", async () => {
    const path = pathOf(shared.loginUrl());
    expect((await shared.ask(path)).status).toBe(303);
    const again = await shared.ask(path);
    expect(again).toMatchObject({ status: 401, headers: { "referrer-policy": "no-referrer" } });
    expect(again.headers["set-cookie"]).toBeUndefined();
    expect(again.body).toContain("redis-addon console");
  });

  it("takes an address for ten minutes", async () => {
    await using console = await startConsole();
    const [early, late] = [console.loginUrl(), console.loginUrl()];
    console.passMs(10 * MINUTE_MS - 1_000);
    expect((await console.ask(pathOf(early))).status).toBe(303);
    console.passMs(1_000);
    expect((await console.ask(pathOf(late))).status).toBe(401);
  });

  it.each([
    ["asks about it", { method: "HEAD" }],
    ["fetches it in advance", { headers: { "sec-purpose": "prefetch;prerender" } }],
    [
      "has it looked up by another site",
      { headers: { "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors" } },
    ],
    ["posts to it", { method: "POST" }],
  ])("does not use an address up where a browser only %s", async (_, asked) => {
    const path = pathOf(shared.loginUrl());
    const first = await shared.ask(path, asked);
    expect(first.status).toBeGreaterThanOrEqual(400);
    expect(first.headers["set-cookie"]).toBeUndefined();
    expect((await shared.ask(path)).status).toBe(303);
  });

  it("goes on by a page of its own where another site's led to it: a browser would keep the cookie back", async () => {
    const led = {
      "sec-fetch-site": "cross-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
    };
    const { status, headers, body } = await shared.ask(pathOf(shared.loginUrl()), { headers: led });
    expect(status).toBe(200);
    expect(headers["set-cookie"]).toHaveLength(1);
    expect(body).toContain(`http-equiv="refresh" content="0; url=/"`);
    expect(body).not.toContain("token");
  });

  it("leads who is logged in, and opens the address again, to the list", async () => {
    const path = pathOf(shared.loginUrl());
    await shared.ask(path);
    const again = await shared.ask(path, { headers: await shared.logIn() });
    expect(again).toMatchObject({ status: 303, headers: { location: "/" } });
    expect(again.headers["set-cookie"]).toBeUndefined();
  });

  it("is remembered without what would log in", async () => {
    const lines = new PassThrough();
    logTo(lines);
    const url = shared.loginUrl();
    await shared.ask(pathOf(url));
    await shared.ask(pathOf(url));
    logTo(process.stdout);
    lines.end();
    const logged = await text(lines);
    expect(logged).toMatch(/somebody logged in/);
    expect(logged).not.toContain(new URL(url).searchParams.get("token"));
  });
});

describe("who has no session", () => {
  it.each([
    ["GET", "/"],
    ["GET", "/?q=cache"],
    ["GET", "/addons/cache"],
    ["GET", "/addons/cache/backups"],
    ["GET", "/addons/cache/metrics"],
    ["GET", "/addons/cache/log"],
    ["GET", "/there/is/no/such/page"],
    ["GET", "/login"],
    ["GET", "/login?token="],
    ["GET", "/login?token=guessed"],
    ["GET", "/login/"],
    ["GET", "/logout"],
    ["POST", "/logout"],
    ["POST", "/addons/cache/credentials"],
    ["POST", "/addons/cache/backups/run"],
  ])("is told by %s %s how to log in, and nothing else", async (method, path) => {
    const { status, headers, body } = await shared.ask(path, { method, headers: { origin: shared.origin } });
    expect(status).toBe(401);
    expect(headers["content-type"]).toMatch(/^text\/html/);
    expect(headers["set-cookie"]).toBeUndefined();
    expect(body).toContain("<code>redis-addon console</code>");
    expect(body).not.toContain(shared.home);
  });

  it("can't make one up, nor take another console's", async () => {
    await using other = await startConsole();
    const { cookie = "" } = await other.logIn();
    const [name, value] = cookie.split("=");
    const { cookie: own = "" } = await shared.logIn();
    const ownName = own.split("=")[0];
    for (const tried of [`${name}=${value}`, `${ownName}=${value}`, `${ownName}=`, `${ownName}=${own}`])
      expect((await shared.ask("/", { headers: { cookie: tried } })).status, tried).toBe(401);
  });
});

describe("a session", () => {
  it("ends by logging out, which a link can't do", async () => {
    const session = await shared.logIn();
    expect((await shared.ask("/logout", { headers: session })).status).toBe(404);
    expect((await shared.ask("/", { headers: session })).status).toBe(200);
    const out = await shared.ask("/logout", {
      method: "POST",
      headers: { ...session, origin: shared.origin },
    });
    expect(out.status).toBe(200);
    expect(out.headers["set-cookie"]?.[0]).toMatch(/=; Max-Age=0; /);
    expect((await shared.ask("/", { headers: session })).status).toBe(401);
  });

  it("ends where the same browser logs in once more: it forgets it, and could never log out of it", async () => {
    const earlier = await shared.logIn();
    const { headers } = await shared.ask(pathOf(shared.loginUrl()), { headers: earlier });
    const later = { cookie: headers["set-cookie"]?.[0]?.split(";")[0] ?? "" };
    expect((await shared.ask("/", { headers: later })).status).toBe(200);
    expect((await shared.ask("/", { headers: earlier })).status).toBe(401);
  });

  it("ends twelve hours after it was used last", async () => {
    await using console = await startConsole();
    const session = await console.logIn();
    for (const passed of [11 * HOUR_MS, 11 * HOUR_MS]) {
      console.passMs(passed);
      expect((await console.ask("/", { headers: session })).status).toBe(200);
    }
    console.passMs(12 * HOUR_MS);
    expect((await console.ask("/", { headers: session })).status).toBe(401);
  });
});

describe("a name that leads here", () => {
  const status = async (host: string) => (await shared.ask("/", { headers: { host } })).status;

  it("is one of this machine's own, with the port", async () => {
    for (const name of ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
      expect(await status(`${name}:${shared.port}`), name).toBe(401);
  });

  it.each([
    ["evil.example"],
    ["evil.example:<port>"],
    ["127.0.0.1"],
    ["localhost"],
    ["127.0.0.1:1"],
    ["127.0.0.1:<port>.evil.example"],
    ["127.0.0.1.evil.example:<port>"],
    ["localhost.:<port>"],
    ["0.0.0.0:<port>"],
    ["[::ffff:127.0.0.1]:<port>"],
    ["127.1:<port>"],
    ["user@127.0.0.1:<port>"],
  ])("is not %s, whoever has pointed it here", async (name) => {
    const host = name.replace("<port>", String(shared.port));
    const answer = await shared.ask(pathOf(shared.loginUrl()), { headers: { host } });
    expect(answer.status).toBe(421);
    expect(answer.body).toContain(`answers as ${shared.origin} alone`);
    expect((await shared.ask("/assets/console.css", { headers: { host } })).status).toBe(421);
  });

  it("is told", async () => {
    expect(await talk(shared.port, "GET / HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 421 /);
    expect(await talk(shared.port, "GET / HTTP/1.1\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe("a page of another site", () => {
  const others = [
    "http://evil.example",
    "null",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "https://127.0.0.1:<port>",
    "http://localhost:<port>",
    "http://127.0.0.1:<port>.evil.example",
    "",
  ];

  it.each(others)("changes nothing from the origin %j", async (other) => {
    const session = await shared.logIn();
    const origin = other.replace("<port>", String(shared.port));
    const refused = await shared.ask("/logout", { method: "POST", headers: { ...session, origin } });
    expect(refused.status).toBe(403);
    expect((await shared.ask("/", { headers: session })).status).toBe(200);
  });

  it.each([
    ["without an origin", {}],
    ["without an origin, with our referrer", { referer: "<origin>/" }],
    ["of the same site, in our name", { origin: "<origin>", "sec-fetch-site": "same-site" }],
    ["of another site, in our name", { origin: "<origin>", "sec-fetch-site": "cross-site" }],
    ["typed by nobody", { origin: "<origin>", "sec-fetch-site": "none" }],
    ["of a frame without origin", { origin: "null", "sec-fetch-site": "cross-site" }],
  ])("changes nothing %s", async (_, sent: Readonly<Record<string, string>>) => {
    const session = await shared.logIn();
    const entries = Object.entries(sent).map(([name, value]) => [
      name,
      value.replace("<origin>", shared.origin),
    ]);
    const headers = { ...session, ...(Object.fromEntries(entries) as Record<string, string>) };
    expect((await shared.ask("/logout", { method: "POST", headers })).status).toBe(403);
    expect((await shared.ask("/", { headers: session })).status).toBe(200);
  });

  it.each([
    [
      "as a script",
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" },
    ],
    [
      "as a picture",
      { "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
    ],
    [
      "in a frame",
      { "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
    ],
    ["by a fetch", { "sec-fetch-site": "same-site", "sec-fetch-mode": "cors", origin: "http://127.0.0.1:1" }],
  ])("gets nothing %s, with or without a session", async (_, sent) => {
    const headers = { ...(await shared.logIn()), ...(sent as Record<string, string>) };
    for (const path of ["/", "/assets/live.js"])
      expect((await shared.ask(path, { headers })).status).toBe(403);
  });

  it("may lead to a page in a tab of its own", async () => {
    const led = {
      "sec-fetch-site": "cross-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
    };
    const session = await shared.logIn();
    expect((await shared.ask("/", { headers: { ...session, ...led } })).status).toBe(200);
    // A browser keeps the cookie back there: a link of ours brings it along.
    const kept = await shared.ask("/addons/cache/log?level=<b>", { headers: led });
    expect(kept.status).toBe(401);
    expect(kept.body).toContain(`<a href="/addons/cache/log?level=%3Cb%3E">`);
    // A path whose dots are resolved here may begin with two slashes.
    const elsewhere = await shared.ask("/.//evil.example/", { headers: led });
    expect(elsewhere.body).toContain(`<a href="/evil.example/">`);
  });

  it("is told from our own, also where a browser leaves our origin out", async () => {
    for (const origin of [shared.origin, "null"]) {
      const headers = { ...(await shared.logIn()), origin, "sec-fetch-site": "same-origin" };
      expect((await shared.ask("/logout", { method: "POST", headers })).status).toBe(200);
    }
  });
});

describe("a malformed request", () => {
  it("that takes us for a proxy is refused", async () => {
    const { cookie } = await shared.logIn();
    const host = `Host: 127.0.0.1:${shared.port}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`;
    for (const target of [
      "//evil.example/",
      "/\\evil.example/",
      "http://evil.example/",
      `http://127.0.0.1:${shared.port}/`,
      "*",
      "evil.example:443",
    ])
      expect(await talk(shared.port, `GET ${target} HTTP/1.1\r\n${host}`), target).toMatch(
        /^HTTP\/1\.1 400 /,
      );
    expect(await talk(shared.port, `CONNECT evil.example:443 HTTP/1.1\r\n${host}`)).toBe("");
  });

  it.each(["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])("by %s is refused", async (method) => {
    const headers = { ...(await shared.logIn()), origin: shared.origin };
    expect((await shared.ask("/", { method, headers })).status).toBe(405);
  });

  it("that is too long is refused: its address, its headers, what it sends", async () => {
    const session = await shared.logIn();
    const { origin, port } = shared;
    const ask: TestConsole["ask"] = (path, asked) => shared.ask(path, asked);
    expect((await ask(`/?q=${"x".repeat(2_048)}`, { headers: session })).status).toBe(414);
    expect((await ask("/", { headers: { ...session, x: "x".repeat(20_000) } })).status).toBe(431);
    const posts = { method: "POST", headers: { ...session, origin, "content-type": "text/plain" } };
    expect((await ask("/logout", { ...posts, body: "x".repeat(65_537) })).status).toBe(413);
    const head = Object.entries(posts.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const chunk = `8000\r\n${"x".repeat(0x8000)}\r\n`;
    const start = `POST /logout HTTP/1.1\r\n${head.join("")}connection: close\r\ntransfer-encoding: chunked\r\n\r\n`;
    expect(await talk(port, start, chunk, chunk, chunk, "0\r\n\r\n")).toMatch(/^HTTP\/1\.1 413 /);
    expect((await ask("/", { headers: session })).status).toBe(200);
  });

  it("that never ends, or never begins, holds no connection", async () => {
    const { cookie } = await shared.logIn();
    const head = `POST /logout HTTP/1.1\r\nHost: 127.0.0.1:${shared.port}\r\n`;
    const [never, half] = await Promise.all([talk(shared.port), talk(shared.port, head)]);
    expect(never).toMatch(/^HTTP\/1\.1 408 |^$/);
    expect(half).toMatch(/^HTTP\/1\.1 408 /);
    const body = `${head}Cookie: ${cookie}\r\nOrigin: ${shared.origin}\r\nContent-Length: 10\r\n\r\nx`;
    // What it sends isn't needed for this one; waiting for the rest of it has an end.
    expect(await talk(shared.port, body)).toMatch(/^HTTP/);
  });
});

describe("who asks for much", () => {
  it("is not answered on a connection on which more was asked for before the first answer was there", async () => {
    const asked = `GET /assets/parts.css HTTP/1.1\r\nHost: 127.0.0.1:${shared.port}\r\n\r\n`;
    const answered = await talk(shared.port, asked.repeat(1_000));
    expect(answered.match(/^HTTP/gm) ?? []).toHaveLength(0);
  });

  it("is answered on one connection as often as he waits for the answer", async () => {
    const socket = connect(shared.port, "127.0.0.1");
    for (let i = 0; i < 20; i++) {
      socket.write(`HEAD /favicon.ico HTTP/1.1\r\nHost: 127.0.0.1:${shared.port}\r\n\r\n`);
      const [answer] = (await once(socket, "data")) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 204 /);
    }
    socket.destroy();
  });

  it("and reads nothing of what he is answered holds no connection", async () => {
    const cut = Promise.withResolvers<void>();
    const server = await listenHttp(
      { host: "127.0.0.1", port: 0 },
      undefined,
      (_, response) => {
        response.on("close", () => cut.resolve());
        response.end(Buffer.alloc(64 * 1024 ** 2));
      },
      200,
    );
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await cut.promise;
    socket.destroy();
    server.close();
  });

  it("can't keep it busy by what he says that he has of a file", async () => {
    const spaces = " ".repeat(15_000);
    const headers = { "if-none-match": `a${spaces}b` };
    const before = process.cpuUsage();
    for (let i = 0; i < 10; i++) await shared.ask("/assets/live.js", { headers });
    // A pattern that tries each of the spaces as a beginning takes half a second each time.
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(1_000);
  });
});

describe("every answer", () => {
  it("says what its page may do, and that nobody keeps it", async () => {
    const session = await shared.logIn();
    const { origin } = shared;
    const ask: TestConsole["ask"] = (path, asked) => shared.ask(path, asked);
    const answers = {
      200: await ask("/", { headers: session }),
      303: await ask(pathOf(shared.loginUrl())),
      401: await ask("/"),
      403: await ask("/logout", { method: "POST", headers: session }),
      404: await ask("/addons/no-such", { headers: session }),
      405: await ask("/", { method: "PUT" }),
      413: await ask("/logout", {
        method: "POST",
        headers: { ...session, origin },
        body: "x".repeat(65_537),
      }),
      414: await ask(`/${"x".repeat(3_000)}`),
      421: await ask("/", { headers: { host: "evil.example" } }),
    };
    for (const [status, answer] of Object.entries(answers)) {
      expect(answer.status).toBe(Number(status));
      for (const [name, value] of Object.entries(SECURITY_HEADERS))
        expect(answer.headers[name.toLowerCase()], `${name} of ${status}`).toBe(
          status === "303" && name === "Referrer-Policy" ? "no-referrer" : value,
        );
    }
  });

  it("about what isn't there says so, with no more of the machine than the user knows", async () => {
    const session = await shared.logIn();
    for (const path of ["/addons/no-such", "/addons/..%2f..%2fetc", "/addons/%00", "/no/such/page"]) {
      const { status, body } = await shared.ask(path, { headers: session });
      expect(status, path).toBe(404);
      expect(body).not.toMatch(/ at .*:\d+:\d+/);
    }
  });

  it("about what failed has a person's words and no trace of the program", async () => {
    await using console = await startConsole();
    const session = await console.logIn();
    await writeFile(join(console.home, "home.json"), "no identity");
    const { status, body } = await console.ask("/", { headers: session });
    expect(status).toBe(500);
    expect(body).toContain("home.json is damaged, or of a newer version");
    expect(body).not.toMatch(/ at .*:\d+:\d+|node_modules/);
  });
});

describe("files of pages", () => {
  it("are there for anybody, by type, and are asked for again whenever a page is loaded", async () => {
    for (const [path, type] of [
      ["/assets/console.css", "text/css; charset=utf-8"],
      ["/assets/live.js", "text/javascript; charset=utf-8"],
    ] as const) {
      const { status, headers, body } = await shared.ask(path);
      expect(status).toBe(200);
      expect(body).not.toBe("");
      expect(headers).toMatchObject({
        "content-type": type,
        "cache-control": "no-cache",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
      });
      const known = { "if-none-match": `"other", ${headers.etag}` };
      expect(await shared.ask(path, { headers: known })).toMatchObject({ status: 304, body: "" });
      expect((await shared.ask(path, { headers: { "if-none-match": `"other"` } })).status).toBe(200);
    }
  });

  it.each([
    "/assets/../serve.ts",
    "/assets/..%2fserve.ts",
    "/assets/%2e%2e/serve.ts",
    "/assets/..\\serve.ts",
    "/assets//etc/passwd",
    "/assets/%2fetc%2fpasswd",
    "/assets/console.css%00.png",
    "/assets/console.css/",
    "/assets/",
    "/assets/%",
  ])("are those alone: %s is none", async (path) => {
    const answer = await shared.ask(path, { headers: await shared.logIn() });
    expect([400, 404]).toContain(answer.status);
    expect(answer.body).not.toMatch(/root:|serveConsole/);
  });
});

describe("behind a proxy", () => {
  it("answers as the proxy's origin alone, and believes nothing else that it says", async () => {
    await using console = await startConsole({ statedOrigin: "https://console.example.org" });
    expect(console.loginUrl()).toMatch(/^https:\/\/console\.example\.org\/login\?token=/);
    const session = await console.logIn();
    expect(session["cookie"]).toMatch(/^__Host-/);
    expect((await console.ask("/", { headers: session })).status).toBe(200);
    const posts = (headers: Record<string, string>) => console.ask("/logout", { method: "POST", headers });
    for (const origin of ["http://console.example.org", `http://127.0.0.1:${console.port}`])
      expect((await posts({ ...session, origin })).status).toBe(403);
    const host = `127.0.0.1:${console.port}`;
    const forwarded = { "x-forwarded-host": "console.example.org", "x-forwarded-proto": "https" };
    expect((await console.ask("/", { headers: { ...session, host, ...forwarded } })).status).toBe(421);
    expect((await posts({ ...session, origin: "https://console.example.org" })).status).toBe(200);
  });

  it("gives a cookie that a browser sends by https alone", async () => {
    await using console = await startConsole({ statedOrigin: "https://console.example.org" });
    const { headers } = await console.ask(pathOf(console.loginUrl()), {
      headers: { host: "console.example.org" },
    });
    expect(headers["set-cookie"]?.[0]).toMatch(/; Secure; /);
  });
});

describe("with a certificate", () => {
  it("speaks TLS alone, and gives a cookie that a browser sends by https alone", async () => {
    const authority = makeAuthority();
    const { certificate, key } = authority.issue(["127.0.0.1"]);
    await using console = await startConsole({ tls: { cert: certificate, key }, ca: authority.certificate });
    expect(console.origin).toBe(`https://127.0.0.1:${console.port}`);
    const { headers } = await console.ask(pathOf(console.loginUrl()));
    expect(headers["set-cookie"]?.[0]).toMatch(/^__Host-.*; Secure; /);
    const session = await console.logIn();
    expect((await console.ask("/", { headers: session })).status).toBe(200);
    expect(await talk(console.port, "GET / HTTP/1.1\r\n\r\n")).toBe("");
  });

  it("is refused where the key isn't the certificate's", async () => {
    const authority = makeAuthority();
    const tls = { cert: authority.issue(["127.0.0.1"]).certificate, key: authority.key };
    await expect(startConsole({ tls })).rejects.toThrow(/the certificate and its key can't be used/);
  });
});
