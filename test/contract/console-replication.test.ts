import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveConsole, type RunningConsole } from "../../provider/console/serve";
import { stopFollowing } from "../../provider/operations/promote";
import { systemClock } from "../../provider/system/clock";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { startRedisServer, type RedisServer } from "../support/redis-server";
import { make, run } from "./agent-support";

const PASSWORD = "a leader's pass&word";

let home: TestHome;
let console_: RunningConsole;
let cookie: string;
let external: RedisServer;

beforeAll(async () => {
  home = await makeTestHome();
  external = await startRedisServer({ args: ["--requirepass", PASSWORD, "--databases", "1"] });
  const client = external.connect({ password: PASSWORD });
  await client.set("theirs", "1");
  await make(home, "lead");
  console_ = await serveConsole({
    dataHome: home.path,
    listen: { host: "127.0.0.1", port: 0 },
    clock: systemClock,
    signal: new AbortController().signal,
  });
  cookie = await logIn();
});
afterAll(async () => {
  await console_?.[Symbol.asyncDispose]();
  await external?.[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

describe("set as follower", () => {
  it("shows what would happen, and replaces keys only where somebody agreed", async () => {
    const { record } = await make(home, "cache");
    await run(record, "SET", "mine", "1");
    const seen = await post("/addons/cache/replication/follow", address());
    expect(seen.status).toBe(200);
    const page = await seen.text();
    expect(page).toContain("replace 1 key that cache has of its own");
    expect(page).toContain("No RedisFollower of a program says whom cache follows");
    expect(page).toContain("config.requireSecret(&quot;leaderPassword&quot;)");
    expect(page).not.toContain(PASSWORD);
    expect(page).not.toContain(encodeURIComponent(PASSWORD));
    expect((await home.platform.load("cache"))?.replication).toBeUndefined();

    const refused = await ended(await confirm("cache", page));
    expect(refused).toContain("1 key of its own");
    // It is where it was begun, and not among what was done with backups.
    expect(refused).toMatch(/href="\/addons\/cache" aria-current="page"/);
    expect(await text("/addons/cache")).toContain("Follow 127.0.0.1");
    expect(await text("/addons/cache/backups")).not.toContain("Follow 127.0.0.1");
    expect(await run(record, "GET", "mine")).toBe("1");

    const again = await (await post("/addons/cache/replication/follow", address())).text();
    const done = await ended(await confirm("cache", again, { replace: "yes" }));
    expect(done).toContain("is in sync");
    expect(done).toMatch(/the keys that cache had are in the backup/i);
    expect(done).not.toContain(PASSWORD);
    expect(await run(record, "GET", "theirs")).toBe("1");
    expect(await run(record, "GET", "mine")).toBeNull();
    const information = await eventually("the agent has noted it", async () => {
      const seen = await text("/addons/cache");
      return seen.includes("In sync since") && seen;
    });
    expect(information).toContain(`<code>127.0.0.1:${external.port}</code>`);
    expect(information).not.toContain(PASSWORD);
  });

  it("leads back to its page from an address that is none of its own, whatever name is in it", async () => {
    const path = "/addons/x%0d%0ay/replication";
    const answer = await fetch(`${console_.origin}${path}`, { headers: { cookie }, redirect: "manual" });
    expect(answer.status).toBe(303);
    expect(answer.headers.get("location")).toBe("/addons/x%0D%0Ay");
  });

  it("is taken over by the RedisFollower that a program declares later, which then owns it", async () => {
    const leader = { kind: "external", host: "127.0.0.1", port: external.port, password: PASSWORD } as const;
    const { record } = await follows(home, { name: "cache", leader, token: "f1" });
    expect(record.replication?.instance.token).toBe("f1");
    const page = await (await post("/addons/cache/replication/follow", addon("lead"))).text();
    expect(page).toContain(`Its RedisFollower in shop/dev says that it follows 127.0.0.1:${external.port}`);
    const stopped = await stopFollowing(home.platform, { name: "cache", token: "f1" }, home.task);
    expect(stopped.outcome).toBe("promoted");
    expect(await run(record, "SET", "theirs", "2")).toBe("OK");
  });

  it("takes what was typed once, of one session and add-on", async () => {
    await make(home, "other");
    const page = await (await post("/addons/other/replication/follow", address())).text();
    const stranger = await logIn();
    expect(await (await confirm("other", page, {}, stranger)).text()).toContain("not kept any more");
    expect(await (await confirm("lead", page)).text()).toContain("not kept any more");
    expect(await ended(await confirm("other", page))).toContain("is in sync");
    const again = await confirm("other", page);
    expect(again.status).toBe(422);
  });

  it("says at its field what stands against a leader, and forgets the password alone", async () => {
    const refused = async (changes: Record<string, string>) => {
      const answer = await post("/addons/lead/replication/follow", { ...address(), ...changes });
      expect(answer.status).toBe(422);
      const page = await answer.text();
      expect(page).not.toContain(PASSWORD);
      expect(page).not.toContain("wrong secret");
      return page;
    };
    const wrong = await refused({ password: "wrong secret" });
    expect(wrong).toMatch(/id="password-problem">It refuses this user name and password/);
    expect(wrong).toContain(`value="${external.port}"`);
    expect(await refused({ port: "1" })).toContain(`id="port-problem"`);
    expect(await refused({ port: "70000" })).toContain("a whole number from 1 to 65535");
    expect(await refused({ ca: "nonsense", tls: "on" })).toContain("no certificate in PEM");
    expect(await refused({ host: "evil.example/@" })).toContain("name or address alone");
    expect(await refused({ host: `"><script>` })).not.toContain("<script>");
    const itself = await post("/addons/lead/replication/follow", addon("lead"));
    expect(await itself.text()).toContain("An add-on can&#39;t follow itself");
    expect(await (await post("/addons/lead/replication/follow", addon("gone"))).text()).toContain(
      "There is no add-on gone to follow",
    );
  });
});

describe("who leads and who follows", () => {
  it("is promoted as if nobody had told it to follow, where a person did", async () => {
    const { record } = await make(home, "promoted");
    const page = await (await post("/addons/promoted/replication/follow", addon("lead"))).text();
    await ended(await confirm("promoted", page));
    const asked = await text("/addons/promoted/replication/promote");
    expect(asked).toContain("promoted becomes a leader");
    expect(asked).toContain("No RedisFollower had declared that it follows");
    expect((await home.platform.load("promoted"))?.replication).toBeDefined();
    const done = await ended(await post("/addons/promoted/replication/promote", {}));
    expect(done).toContain("promoted is a leader now");
    expect((await home.platform.load("promoted"))?.replication).toBeUndefined();
    expect(await run(record, "SET", "key", "1")).toBe("OK");
    const twice = await post("/addons/promoted/replication/promote", {});
    expect(twice.status).toBe(409);
    expect(await twice.text()).toContain("It follows nobody");
  });

  it("is promoted with its RedisFollower left in place, where a program declared it", async () => {
    await make(home, "declared");
    await follows(home, { name: "declared", leader: "lead" });
    expect(await text("/addons/declared/replication/promote")).toContain("promote: true");
    await ended(await post("/addons/declared/replication/promote", {}));
    const replication = (await home.platform.load("declared"))?.replication;
    expect(replication).toMatchObject({ wish: { position: "promoted" }, instance: { token: "f1" } });
  });

  it("is exchanged between two of ours, and back; meanwhile nothing else is offered", async () => {
    const { record } = await make(home, "copy");
    await follows(home, { name: "copy", leader: "lead" });
    expect(await text("/addons/lead")).toMatch(/Who follows lead[\s\S]*href="\/addons\/copy"/);
    expect(await text("/addons/copy/replication/switch-over")).toContain("copy becomes the leader");
    await ended(await post("/addons/copy/replication/switch-over", {}));
    expect(await run(record, "SET", "key", "2")).toBe("OK");
    for (const name of ["copy", "lead"]) {
      const page = await text(`/addons/${name}`);
      expect(page).toContain(`/addons/${name}/replication/switch-over?back=yes`);
      expect(page).not.toContain(`/addons/${name}/replication/follow`);
      const answer = await post(`/addons/${name}/replication/follow`, addon("other"));
      expect(await answer.text()).toContain("Exchange the roles back first");
    }
    await ended(await post("/addons/lead/replication/switch-over?back=yes", {}));
    await eventually("lead leads again", async () =>
      (await text("/addons/lead")).includes("Who follows lead"),
    );
    expect((await home.platform.load("lead"))?.demoted).toBeUndefined();
  });

  it("is refused to who has not logged in, and of add-ons that are not there", async () => {
    const answer = await fetch(`${console_.origin}/addons/lead/replication/promote`, {
      method: "POST",
      headers: { origin: console_.origin },
    });
    expect(answer.status).toBe(401);
    expect((await ask("/addons/gone/replication/follow")).status).toBe(404);
  });
});

function address(): Record<string, string> {
  return { kind: "address", host: "127.0.0.1", port: String(external.port), password: PASSWORD };
}

function addon(name: string): Record<string, string> {
  return { kind: "addon", addon: name };
}

async function confirm(
  name: string,
  page: string,
  fields: Record<string, string> = {},
  session = cookie,
): Promise<Response> {
  const id = /name="id" value="([^"]+)"/.exec(page)?.[1] ?? "";
  return post(`/addons/${name}/replication/follow/confirmed`, { id, ...fields }, session);
}

/** The page of the activity that an answer leads to, once it has ended. */
async function ended(answer: Response): Promise<string> {
  expect(answer.status).toBe(303);
  const path = answer.headers.get("location") ?? "";
  return eventually("it has ended", async () => {
    const page = await text(path);
    return page.includes("<dt>Ended</dt>") && page;
  });
}

async function logIn(): Promise<string> {
  const answer = await fetch(console_.loginUrl(), { redirect: "manual" });
  return answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
}

function post(path: string, fields: Record<string, string>, session = cookie): Promise<Response> {
  return fetch(`${console_.origin}${path}`, {
    method: "POST",
    headers: { cookie: session, origin: console_.origin },
    body: new URLSearchParams(fields),
    redirect: "manual",
  });
}

function ask(path: string): Promise<Response> {
  return fetch(`${console_.origin}${path}`, { headers: { cookie } });
}

async function text(path: string): Promise<string> {
  const answer = await ask(path);
  expect(answer.status, path).toBe(200);
  return answer.text();
}
