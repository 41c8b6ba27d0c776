import { describe, expect, it } from "vitest";
import { Failure } from "../../../provider/core/errors";
import type { AddonStatus } from "../../../provider/core/status";
import { listPage } from "../../../provider/console/pages/list";
import { RUNNING, shownAddon, stillContext } from "../../support/shown-addon";

const MIB = 1024 ** 2;

const healthy = shownAddon({ name: "b-healthy" }, { labels: { team: "checkout" } });
const full = shownAddon(
  { name: "z-full", server: { ...RUNNING, memoryUsedBytes: 127.5 * MIB } },
  { plan: "s_mono" },
);
const syncing = shownAddon({
  name: "y-syncing",
  health: "syncing",
  replication: {
    role: "follower",
    leader: { addon: "b-healthy", host: "127.0.0.1", port: 41_001 },
    link: "up",
    sync: { state: "waiting" },
  },
});
const degraded = shownAddon({ name: "x-degraded", health: "degraded", problems: ["its disk is full"] });
const down = shownAddon({
  name: "w-down",
  health: "down",
  problems: ["its server ended again and again"],
  server: { state: "stopped", why: "its server ended again and again" },
});
const damaged = new Failure({
  code: "record-unreadable",
  operation: "read the record of",
  subject: "legacy",
  cause: "it is not JSON",
  hint: "Use the version that wrote it",
});

describe("the list of add-ons", () => {
  it("shows those that need somebody first, then by name", async () => {
    const page = await shown("/", [
      healthy,
      full,
      syncing,
      shownAddon({ name: "a-healthy" }),
      degraded,
      down,
    ]);
    expect(namesIn(page)).toEqual(["w-down", "x-degraded", "z-full", "y-syncing", "a-healthy", "b-healthy"]);
  });

  it("counts all add-ons and those with problems, also where only some are shown", async () => {
    const page = await shown("/?q=healthy", [healthy, degraded, down], [damaged]);
    expect(page).toContain("<strong>4 add-ons</strong>");
    expect(page).toContain("3 with problems");
    expect(await shown("/", [healthy])).toContain("no problems");
  });

  it("tells of each add-on its role, plan, memory, connections and newest verified backup", async () => {
    const page = textOf(await shown("/", [syncing, down]));
    expect(page).toContain(
      "y-syncing syncing follower of b-healthy: waiting for the leader's snapshot m_mono " +
        "64.0 MiB of 256 MiB 12 of 250 9 h ago",
    );
    expect(page).toContain("w-down down leader m_mono - - 9 h ago Its server ended again and again.");
  });

  it("says where backups can't be relied on, and where there are none", async () => {
    const { newestVerified: _, ...backups } = healthy.backups;
    const overdue = { ...backups, health: { state: "overdue", why: "no verified backup" } } as const;
    expect(textOf(await shown("/", [{ ...healthy, backups: overdue }]))).toContain("never overdue");
  });

  it("says that a full add-on refuses writes, or makes room", async () => {
    const page = await shown("/", [full, healthy]);
    expect(page).toContain("full: writes that need more are refused");
    expect(page).toContain("1 full");
    const cache = { ...full, wish: { ...full.wish, evictionPolicy: "allkeys-lru" } } as const;
    expect(await shown("/", [cache])).toContain("full: keys make room");
    expect(await shown("/", [healthy])).not.toContain("full:");
  });

  it("shows a record that can't be read as a row, with what helps", async () => {
    const page = textOf(await shown("/", [healthy], [damaged]));
    expect(page).toContain("legacy unreadable");
    expect(page).toContain("Cannot read the record of legacy: it is not JSON. Use the version that wrote it");
  });

  it("shows those that have not answered yet too", async () => {
    const context = stillContext([healthy], { pending: ["slow"] });
    const page = await (await listPage(context).request("/")).text();
    expect(page).toContain("<strong>2 add-ons</strong>");
    expect(namesIn(page)).toEqual(["b-healthy", "slow"]);
    expect(page).toContain("has not answered yet");
  });

  it.each([
    ["DEGRADED", ["x-degraded"]],
    ["y-sync", ["y-syncing"]],
    ["follower of b-healthy", ["y-syncing"]],
    ["s_mono", ["z-full"]],
    ["team=checkout", ["b-healthy"]],
    ["checkout healthy", ["b-healthy"]],
    ["shop/dev leader healthy", ["z-full", "y-syncing", "b-healthy"]],
    ["nothing at all", []],
  ])("finds %s", async (query, names) => {
    const page = await shown(`/?q=${encodeURIComponent(query)}`, [healthy, full, syncing, degraded]);
    expect(namesIn(page)).toEqual(names);
    expect(page).toContain(`value="${query}"`);
  });

  it("says once why a follower is broken, and in its role only that it is", async () => {
    const why = "its leader is gone";
    const broken = { ...syncing, health: "degraded", problems: [why] } as const;
    const replication = { ...syncing.replication, sync: { state: "broken", why } } as const;
    const page = await shown("/", [{ ...broken, replication }]);
    expect(textOf(page)).toContain("follower of b-healthy: broken m_mono");
    expect(page.match(/ts leader is gone/g)).toHaveLength(1);
  });

  it("says once what is the matter with all of them", async () => {
    const unattended = "no agent runs";
    const all = ["a", "b", "c"].map((name) =>
      shownAddon({ name, health: "degraded", problems: [unattended] }),
    );
    const page = await shown("/", [...all, { ...down, problems: [unattended, "its server is down"] }]);
    expect(page.split("No agent runs.")).toHaveLength(2);
    expect(textOf(page)).toContain("Its server is down.");
  });

  it("says of each what is the matter with some of them", async () => {
    const [a, b] = ["a", "b"].map((name) =>
      shownAddon({ name, health: "degraded", problems: ["its disk is full"] }),
    );
    const page = await shown(
      "/",
      [a, b, healthy].filter((status) => status !== undefined),
    );
    expect(page.split("Its disk is full.")).toHaveLength(3);
  });

  it("says how to make the first one where there is none", async () => {
    const page = await shown("/", []);
    expect(page).toContain("new RedisAddon(&quot;cache&quot;, { plan: &quot;s_mono&quot; })");
    expect(page).not.toContain("<table");
  });

  it("lets nothing of an add-on be more than text", async () => {
    const html = `"><script>alert(1)</script>`;
    const hostile = shownAddon(
      { name: "cache", problems: [html], owner: { project: html, stack: html } },
      { labels: { team: html } },
    );
    const unreadable = new Failure({ code: "x", operation: html, subject: html, cause: html });
    const page = await shown(`/?q=${encodeURIComponent(html)}`, [hostile], [unreadable]);
    expect(page).toContain("&lt;script&gt;alert(1)");
    expect(page).not.toContain("<script>alert");
  });

  it("stays small with 200 add-ons", async () => {
    const many = Array.from({ length: 200 }, (_, i) => shownAddon({ name: `team-prod-cache-${i}` }));
    const page = await shown("/", many);
    expect(namesIn(page)).toHaveLength(200);
    expect(page.length).toBeLessThan(250_000);
  });
});

async function shown(
  path: string,
  addons: readonly AddonStatus[],
  unreadable: readonly Failure[] = [],
): Promise<string> {
  const answer = await listPage(stillContext(addons, { unreadable })).request(path);
  expect(answer.status).toBe(200);
  return answer.text();
}

function namesIn(page: string): (string | undefined)[] {
  return [...page.matchAll(/<th scope="rowgroup"><a href="\/addons\/([^"]+)">\1<\/a>/g)].map(
    ([, name]) => name,
  );
}

/** What is read, in one line. */
function textOf(page: string): string {
  return page
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll("&#39;", "'")
    .replaceAll(/\s+/g, " ");
}
