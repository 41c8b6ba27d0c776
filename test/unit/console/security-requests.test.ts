import fc from "fast-check";
import { Hono } from "hono";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { guarded } from "../../../provider/console/security/guard";
import { loginTokens } from "../../../provider/console/security/login-tokens";
import { oursOf } from "../../../provider/console/security/ours";
import { refusalOf } from "../../../provider/console/security/refusal";
import { sessions } from "../../../provider/console/security/sessions";
import { Failure } from "../../../provider/core/errors";
import { logTo } from "../../../provider/system/log";
import { systemClock } from "../../../provider/system/clock";

const http = { isTls: false };
const https = { isTls: true };

describe("what a console answers as", () => {
  it("is the address that it listens on, on loopback by each of its names", () => {
    const ours = oursOf({ host: "127.0.0.1", port: 31_007 }, http);
    expect(ours).toMatchObject({ scheme: "http", origin: "http://127.0.0.1:31007" });
    expect([...ours.hosts].sort()).toEqual(["127.0.0.1:31007", "[::1]:31007", "localhost:31007"]);
    expect([...oursOf({ host: "fd00::5", port: 8443 }, https).hosts]).toEqual(["[fd00::5]:8443"]);
  });

  it("is spelt as browsers do, without a port that goes without saying", () => {
    expect(oursOf({ host: "Redis.example", port: 443 }, https)).toMatchObject({
      origin: "https://redis.example",
      hosts: new Set(["redis.example"]),
    });
    expect([...oursOf({ host: "127.0.0.1", port: 80 }, http).hosts]).toContain("localhost");
  });

  it("is what was stated alone", () => {
    const statedOrigin = "https://redis.example:8443";
    expect(oursOf({ host: "127.0.0.1", port: 8080 }, { ...http, statedOrigin })).toEqual({
      ...{ scheme: "https", origin: statedOrigin },
      hosts: new Set(["redis.example:8443"]),
    });
  });
});

describe("a request", () => {
  const ours = oursOf({ host: "127.0.0.1", port: 31_007 }, http);
  const site = fc.constantFrom(undefined, "none", "same-origin", "same-site", "cross-site", "new-word");
  const origin = fc.constantFrom(
    undefined,
    "null",
    "",
    ours.origin,
    "http://localhost:31007",
    "http://evil.example",
  );
  const host = fc.constantFrom(
    undefined,
    "",
    "evil.example",
    "127.0.0.1:31007",
    "localhost:31007",
    "127.0.0.1",
  );

  it("that changes something comes from a page of the same host and port, whatever else it says", () => {
    fc.assert(
      fc.property(site, origin, host, fc.constantFrom("/", "/logout"), (site, origin, host, target) => {
        const headers = {
          "sec-fetch-site": site,
          "sec-fetch-mode": "navigate",
          "sec-fetch-dest": "document",
        };
        const refused = refusalOf({ method: "POST", target, headers: { ...headers, origin, host } }, ours);
        const isOurs = host !== undefined && ours.hosts.has(host);
        const saysOurs = origin === `http://${host}` && (site === undefined || site === "same-origin");
        const leavesOut = origin === "null" && site === "same-origin";
        expect(refused === undefined).toBe(isOurs && (saysOurs || leavesOut));
      }),
    );
  });

  it("is of one of three methods, for a path of ours", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (method, target) => {
        const headers = { host: "127.0.0.1:31007", origin: ours.origin };
        const isTaken = ["GET", "HEAD", "POST"].includes(method) && /^\/([^/\\]|$)/.test(target);
        expect(refusalOf({ method, target, headers }, ours) === undefined).toBe(isTaken);
      }),
    );
  });
});

describe("a page that fails", () => {
  afterEach(() => logTo(process.stdout));

  /** What somebody who is logged in sees of a page that throws this, and what is logged of it. */
  async function seen(error: Error, tells?: (error: Error) => Response, path = "/boom") {
    const known = sessions(systemClock);
    const pages = new Hono().get("/boom/*", () => {
      throw error;
    });
    if (tells !== undefined) pages.onError(tells);
    const app = guarded(new Hono().route("/", pages), {
      ...{ tokens: loginTokens(systemClock), sessions: known, assets: new Hono() },
      ...{ cookie: "session", isSecure: false, servedBy: "agent", onUse: () => undefined },
    });
    const lines = new PassThrough();
    logTo(lines);
    const answer = await app.request(path, { headers: { cookie: `session=${known.begin()}` } });
    lines.end();
    return { status: answer.status, body: await answer.text(), logged: await text(lines) };
  }

  it("says what a Failure says, and logs nothing", async () => {
    const report = { operation: "list the backups of", subject: "cache", cause: "the store is away" };
    const { status, body, logged } = await seen(new Failure({ code: "store-away", ...report }));
    expect(status).toBe(500);
    expect(body).toContain("Cannot list the backups of cache");
    expect(body).toMatch(/The store is away|the store is away/);
    expect(logged).toBe("");
  });

  it("is not found where a Failure means that", async () => {
    const report = { operation: "show the backup", subject: "x", cause: "there is none" };
    expect((await seen(new Failure({ code: "no-such-backup", ...report }))).status).toBe(404);
  });

  it("has no trace of the program in it, which the log has", async () => {
    const { status, body, logged } = await seen(new TypeError("x is not a function"));
    expect(status).toBe(500);
    expect(body).not.toMatch(/ at .*:\d+:\d+|node_modules/);
    expect(logged).toMatch(/console: GET \/boom: TypeError: x is not a function\n +at /);
  });

  it("is logged also where a page tells of its failures itself", async () => {
    const { status, body, logged } = await seen(
      new TypeError("x"),
      () => new Response("sorry", { status: 503 }),
    );
    expect({ status, body }).toEqual({ status: 503, body: "sorry" });
    expect(logged).toMatch(/console: GET \/boom: TypeError: x\n +at /);
  });

  it("is logged in a line of its own, whatever its path says", async () => {
    const { logged } = await seen(new TypeError("x"), undefined, "/boom/%0a2026%20cache:%1b[2J");
    expect(logged).toMatch(/console: GET \/boom\/%0a2026%20cache:%1b\[2J: TypeError: x\n/);
  });

  it("escapes what it tells", async () => {
    const report = { operation: "show", subject: "<script>", cause: `"><img src=x>` };
    const { body } = await seen(new Failure({ code: "x", ...report }));
    expect(body).not.toMatch(/<script>|<img/);
  });
});
