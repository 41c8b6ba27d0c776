import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveConsole, type RunningConsole } from "../../provider/console/serve";
import type { AddonRecord } from "../../provider/core/facets";
import { systemClock } from "../../provider/system/clock";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";
import { make, run } from "./agent-support";

let home: TestHome;
let cache: AddonRecord;
let console_: RunningConsole;
let cookie: string;

beforeAll(async () => {
  home = await makeTestHome();
  cache = (await make(home, "cache")).record;
  await run(cache, "SET", "key", "value");
  await home.platform.backUp("cache", home.task);
  console_ = await serveConsole({
    dataHome: home.path,
    listen: { host: "127.0.0.1", port: 0 },
    clock: systemClock,
    signal: new AbortController().signal,
  });
  const answer = await fetch(console_.loginUrl(), { redirect: "manual" });
  cookie = answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
});
afterAll(async () => {
  await console_?.[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

describe("the tab of metrics", () => {
  it("tells in words and figures what is drawn, with the plan's limits", async () => {
    const page = await eventually("it has measured", async () => {
      const seen = await text("/addons/cache/metrics");
      return seen.includes("the plan&#39;s limit is 128 MiB") && seen;
    });
    expect(page).toMatch(/<p>now [\d.]+ [KM]iB[^<]*; the plan&#39;s limit is 128 MiB<\/p>/);
    expect(page).toMatch(/aria-label="Connections: now \d+/);
    expect(page).toMatch(/<table>[\s\S]*<td>[\d.]+ [KM]iB<\/td>/);
    // The backup that was just taken: its size, and how long it took.
    expect(page).toMatch(/Backup sizes[\s\S]*<title>[^<]*: [\d.]+ (?:B|KiB)<\/title>/);
    expect(page).not.toContain("Lag behind the leader");
    expect(page).not.toMatch(/NaN|undefined/);
  });

  it("asks no store for its live parts, and knows two ranges of time", async () => {
    const part = await text("/addons/cache/metrics?range=24h&part=measured");
    expect(part).toContain("Operations per second");
    expect(part).not.toContain("Backup sizes");
    expect(part).toMatch(/range=24h"\s*aria-current="page"/);
    expect(await text("/addons/cache/metrics?range=nonsense")).toMatch(/range=30m"\s*aria-current="page"/);
  });
});

describe("the tab of the log", () => {
  it("shows what server and agent wrote, or one of the two", async () => {
    const both = await text("/addons/cache/log");
    expect(both).toContain("Ready to accept connections");
    expect(both).toMatch(/server \d+ runs Redis/);
    const server = await text("/addons/cache/log?source=server");
    expect(server).toContain("Ready to accept connections");
    expect(server).not.toMatch(/server \d+ runs Redis/);
    const agent = await text("/addons/cache/log?source=agent");
    expect(agent).not.toContain("Ready to accept connections");
    expect(agent).toMatch(/server \d+ runs Redis/);
    expect(await text("/addons/cache/log?source=nonsense")).toContain("Ready to accept connections");
  });

  it("shows no secret, and runs nothing that somebody has written into it", async () => {
    const { password, adminPassword } = cache.credentials;
    const file = join(home.path, "addons", "cache", "server.log");
    const at = "1:M 01 May 2026 12:00:00.000 #";
    await appendFile(file, `${at} Bad directive: ${password} ${adminPassword} <script>alert(1)</script>\n`);
    const page = await text("/addons/cache/log");
    expect(page).toContain("Bad directive: [secret] [secret] &lt;script&gt;");
    for (const secret of Object.values(cache.credentials)) expect(page).not.toContain(secret);
  });
});

describe("both", () => {
  it("say what there is where an add-on is not", async () => {
    for (const path of ["/addons/gone/metrics", "/addons/gone/log"]) {
      const answer = await ask(path);
      expect(answer.status).toBe(404);
      expect(await answer.text()).toContain(`href="/addons/cache"`);
    }
  });
});

function ask(path: string): Promise<Response> {
  return fetch(`${console_.origin}${path}`, { headers: { cookie } });
}

async function text(path: string): Promise<string> {
  const answer = await ask(path);
  expect(answer.status, path).toBe(200);
  return answer.text();
}
