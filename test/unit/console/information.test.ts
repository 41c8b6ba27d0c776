import { Hono } from "hono";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { AddonStatus } from "../../../provider/core/status";
import { informationPage } from "../../../provider/console/pages/information";
import { shownAddon, stillContext } from "../../support/shown-addon";

const PASSWORD = "p&ss/w<rd";
const ENCODED = "p%26ss%2Fw%3Crd";

const cache = shownAddon(
  { name: "cache" },
  {
    evictionPolicy: "allkeys-lru",
    tier: "premium",
    settings: { timeout: "300" },
    labels: { team: "checkout" },
  },
);

afterEach(() => vi.restoreAllMocks());

describe("the page of an add-on", () => {
  it("tells everything that is known of it", async () => {
    const page = textOf(await (await get("/addons/cache", [cache])).text());
    for (const fact of [
      "Host 127.0.0.1",
      "Port 41001",
      "Version 7.2.4",
      "Plan m_mono: 256 MiB, 250 connections, 5 databases",
      "Tier premium",
      "Memory 64.0 MiB of 256 MiB",
      "Connections 12 of 250",
      "Keys 12,345",
      "Running for 3 days",
      "Eviction policy allkeys-lru",
      "Rights standard",
      "Persistence everysec",
      "timeout 300",
      "team checkout",
      "Pulumi project shop",
      "Stack dev",
      "Made 2026-01-01 00:00:00 UTC, 120 days ago",
      "Data home /home/ada/.local/share/redis-addon",
      "Newest verified 2026-05-01 03:00:00 UTC, 9 h ago",
      "Schedule daily at 03:00 (UTC), kept 7 days",
    ])
      expect(page).toContain(fact);
  });

  it("tells of a restore, one that is done and one that is under way", async () => {
    const restored = {
      from: { addon: "old", backup: "latest" },
      backup: "20260430T030000000Z",
      archive: "file:///a.tar.gz",
      at: "2026-04-30T10:00:00.000Z",
      keys: 7,
    };
    const restoring = {
      from: { addon: "older", backup: "latest" },
      backup: "20260429T030000000Z",
      archive: "file:///b.tar.gz",
      since: "2026-05-01T11:59:00.000Z",
    };
    const page = textOf(await (await get("/addons/cache", [{ ...cache, restored, restoring }])).text());
    expect(page).toContain("Restored from 20260430T030000000Z of old, at 2026-04-30 10:00:00 UTC, 7 keys");
    expect(page).toContain("Being restored from 20260429T030000000Z of older");
  });

  it("tells of the last run when it was and what came of it, and why it failed once", async () => {
    const page = async (changes: Partial<AddonStatus>) =>
      textOf(await (await get("/addons/cache", [{ ...cache, ...changes }])).text());
    expect(await page({})).toContain(
      "Last run 2026-05-01 03:00:04 UTC : backup 20260501T030000000Z, verified",
    );
    const why = "cannot back up cache: no room. Make some";
    const backups = {
      ...cache.backups,
      lastRun: { at: "2026-05-01T03:00:04.000Z", outcome: "failed", detail: why },
    } as const;
    expect(await page({ backups })).toContain("Last run 2026-05-01 03:00:04 UTC failed Cannot back up cache");
    expect((await page({ backups, problems: [why] })).match(/Cannot back up/g)).toHaveLength(1);
  });

  it("begins with what is the matter", async () => {
    const page = await (await get("/addons/cache", [{ ...cache, problems: ["its disk is full"] }])).text();
    expect(page).toContain("Its disk is full.");
    expect(page.indexOf("Its disk is full.")).toBeLessThan(page.indexOf("Server</h2>"));
  });

  it("has snippets that take the address from the environment, and the program that declares it", async () => {
    const page = await (await get("/addons/cache", [cache])).text();
    for (const text of ["redis-cli -h", "ioredis", "createClient", "from_url", "ParseURL", "new RedisAddon("])
      expect(page).toContain(text);
  });

  it("lets nothing of an add-on be more than text", async () => {
    const html = `"'><script>alert(1)</script>`;
    const hostile = shownAddon(
      {
        name: "cache",
        problems: [html],
        owner: { project: html, stack: html },
        home: { id: html, host: html, path: html },
        server: { state: "unreachable", why: html },
        backups: {
          ...cache.backups,
          catalog: html,
          health: { state: "failing", why: html },
          lastRun: { at: html, outcome: "failed", detail: html, warnings: [html] },
        },
      },
      { settings: { timeout: html }, labels: { [html]: html }, version: html, bind: html },
    );
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    for (const answer of [await get("/addons/cache", [hostile]), await reveal([hostile], html)]) {
      const page = await answer.text();
      expect(page).toContain("&lt;script&gt;alert(1)");
      expect(page).not.toContain("<script>alert");
    }
  });

  it("names each element once", async () => {
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const page = await (await reveal([{ ...cache, problems: ["its disk is full"] }])).text();
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(ids).toEqual([...new Set(ids)]);
    for (const [, id = ""] of page.matchAll(/(?:data-copy|aria-labelledby)="([^"]+)"/g))
      expect(ids).toContain(id);
  });
});

describe("credentials", () => {
  it("are in no page before they are revealed", async () => {
    const page = await (await get("/addons/cache", [cache])).text();
    expect(page).toContain(`action="/addons/cache/credentials"`);
    expect(page).not.toContain(escaped(PASSWORD));
    expect(page).not.toContain(ENCODED);
  });

  it("are in the answer to a POST, which nothing keeps", async () => {
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const answer = await reveal([cache]);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const page = await answer.text();
    expect(page).toContain(`<code id="password">${escaped(PASSWORD)}</code>`);
    expect(page).toContain(`<code id="redis-url">redis://default:${ENCODED}@127.0.0.1:41001</code>`);
    expect(page).toContain(`<code id="redis-cli-url">redis://${ENCODED}@127.0.0.1:41001</code>`);
    expect(page).toContain(`href="/addons/cache">Hide the credentials`);
    // Its live parts come from the page that holds none.
    expect(page).toContain(`data-live-from="/addons/cache"`);
  });

  it("are not revealed by an address", async () => {
    const answer = await get("/addons/cache/credentials", [cache]);
    expect(answer.status).toBe(303);
    expect(answer.headers.get("location")).toBe("/addons/cache");
    const strange = await get("/addons/%0d%0aset-cookie%3A%20a/credentials", []);
    expect(strange.headers.get("location")).toBe("/addons/%0D%0Aset-cookie%3A%20a");
  });

  it("leave a line in the log when they are revealed, without a secret", async () => {
    const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    await get("/addons/cache", [cache]);
    expect(write).not.toHaveBeenCalled();
    await reveal([cache]);
    const lines = write.mock.calls.map(([line]) => String(line));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\S+Z cache: credentials were revealed in the console\n$/);
  });
});

describe("an add-on that isn't there", () => {
  it("is answered with those that are", async () => {
    for (const answer of [await get("/addons/nothing", [cache]), await reveal([cache], "pw", "nothing")]) {
      expect(answer.status).toBe(404);
      const page = await answer.text();
      expect(page).toContain("There is no add-on nothing");
      expect(page).toContain(`<a href="/addons/cache">cache</a>`);
    }
  });

  it("is no more than text in its answer", async () => {
    const page = await (await get(`/addons/${encodeURIComponent("<script>")}`, [])).text();
    expect(page).toContain("There is no add-on &lt;script&gt;");
    expect(page).toContain("none at all");
  });
});

function app(addons: readonly AddonStatus[], password: string): Hono {
  return new Hono().route("/addons/:name", informationPage(stillContext(addons, { password })));
}

async function get(path: string, addons: readonly AddonStatus[]): Promise<Response> {
  return app(addons, PASSWORD).request(path);
}

async function reveal(
  addons: readonly AddonStatus[],
  password = PASSWORD,
  name = "cache",
): Promise<Response> {
  return app(addons, password).request(`/addons/${name}/credentials`, { method: "POST" });
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

/** What is read, in one line. */
function textOf(page: string): string {
  return page
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll("&#39;", "'")
    .replaceAll(/\s+/g, " ")
    .replaceAll(/ (?=,)/g, "");
}
