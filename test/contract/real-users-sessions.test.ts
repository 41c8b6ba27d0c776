import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { RedisStore } from "connect-redis";
import session from "express-session";
import { createClient } from "redis";
import { expect, test } from "vitest";
import { describeRealUsers, startStandardAddon } from "../support/clients-addon";

declare module "express-session" {
  interface SessionData {
    views: number;
  }
}

const MAX_AGE_SECONDS = 3600;

describeRealUsers((server) => {
  test("sessions of express-session are kept apart, outlive the web server and end with the logout", async () => {
    await using addon = await startStandardAddon(server);
    await using site = await startSite(addon.url);
    const [alice, bob] = [browser(), browser()];
    expect(await alice(site.url("/"))).toBe("1");
    expect(await alice(site.url("/"))).toBe("2");
    expect(await bob(site.url("/"))).toBe("1");
    expect(await site.store.length()).toBe(2);

    const [key = ""] = await addon.admin.keys("sess:*");
    const seconds = await addon.admin.ttl(key);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(MAX_AGE_SECONDS);

    await using another = await startSite(addon.url);
    expect(await alice(another.url("/"))).toBe("3");
    expect(await alice(another.url("/logout"))).toBe("bye");
    expect(await site.store.length()).toBe(1);
    expect(await alice(site.url("/"))).toBe("1");

    // It scans for its keys.
    await site.store.clear();
    expect(await addon.admin.keys("sess:*")).toEqual([]);
    expect(await bob(site.url("/"))).toBe("1");
    expect(await addon.refusals()).toEqual([]);
  });
});

/** A web server that counts a session's visits. */
async function startSite(redis: string) {
  const client = createClient({ url: redis });
  client.on("error", () => undefined);
  await client.connect();
  const store = new RedisStore({ client });
  const sessions = session({
    store,
    secret: "of a test",
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: MAX_AGE_SECONDS * 1000 },
  });
  type Request = Parameters<typeof sessions>[0];
  type Response = Parameters<typeof sessions>[1];
  const web = createServer((incoming, outgoing) => {
    // Express adds to Node's own objects; the middleware takes those as well.
    const request = incoming as Request;
    sessions(request, outgoing as Response, (error?: unknown) => {
      if (error !== undefined) return void outgoing.writeHead(500).end("the store failed");
      if (request.url === "/logout") return void request.session.destroy(() => outgoing.end("bye"));
      request.session.views = (request.session.views ?? 0) + 1;
      outgoing.end(String(request.session.views));
    });
  }).listen(0, "127.0.0.1");
  await once(web, "listening");
  const { port } = web.address() as AddressInfo;
  return {
    store,
    url: (path: string) => `http://127.0.0.1:${port}${path}`,
    async [Symbol.asyncDispose]() {
      web.closeAllConnections();
      web.close();
      await client.close();
    },
  };
}

/** Keeps its cookies. Answers with a page's text. */
function browser() {
  let cookie: string | undefined;
  return async (url: string): Promise<string> => {
    const response = await fetch(url, { headers: cookie === undefined ? {} : { cookie } });
    cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie;
    return await response.text();
  };
}
