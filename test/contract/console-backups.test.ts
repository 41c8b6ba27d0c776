import { randomBytes } from "node:crypto";
import {
  chmod,
  link,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import type { Manifest } from "../../provider/core/manifest";
import { formatSlot, parseSlot } from "../../provider/core/slot";
import { placeOf } from "../../provider/operations/backup-place";
import { listBackups } from "../../provider/operations/list-backups";
import { layoutOf } from "../../provider/platforms/local/home";
import { handOver } from "../../provider/operations/hand-over";
import { remove } from "../../provider/operations/remove";
import { inspect } from "../../provider/operations/inspect";
import { setBackups } from "../../provider/operations/backups";
import { startConsole, type TestConsole } from "../support/console";
import { creates, eventually, makeTestHome, SMALL, type TestHome } from "../support/data-home";
import { provision } from "../support/provision";
import { change, make, run } from "./agent-support";

let home: TestHome;
let cache: AddonRecord;
let visited: TestConsole;
let headers: Record<string, string>;

beforeAll(async () => {
  home = await makeTestHome();
  cache = (await make(home, "cache")).record;
  await run(cache, "SET", "kept", "first");
  visited = await startConsole({ home: home.path });
  headers = { ...(await visited.logIn()), origin: visited.origin };
});
afterAll(async () => {
  await visited?.[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

const get = (path: string) => visited.ask(path, { headers });
const post = (path: string, fields: Readonly<Record<string, string>> = {}) =>
  visited.ask(path, {
    method: "POST",
    headers: { ...headers, "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(fields).toString(),
  });
/** What a person reads. */
const words = (body: string) =>
  body
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll("&#39;", "'")
    .replaceAll("&quot;", '"')
    .replaceAll(/\s+/g, " ");

/** Does what a form does, and waits for the end of the activity that it leads to. */
async function activity(path: string, fields: Readonly<Record<string, string>> = {}): Promise<string> {
  const started = await post(path, fields);
  expect(started.status, words(started.body)).toBe(303);
  const { location = "" } = started.headers;
  return eventually("the activity to end", async () => {
    const { body } = await get(location);
    return body.includes("under way") ? undefined : body;
  });
}

async function backUp(name = "cache"): Promise<string> {
  const done = await activity(`/addons/${name}/backups`);
  const slot = new RegExp(String.raw`backup (\d{8}T\d{9}Z): `).exec(words(done))?.[1];
  if (slot === undefined) throw new Error(words(done));
  return slot;
}

/** The archive of a backup, as it lies in the data home. */
async function archiveOf(slot: string, { catalogKey } = cache): Promise<string> {
  const folder = join(layoutOf(home.path).backups, catalogKey);
  const file = (await readdir(folder)).find((entry) => entry.startsWith(slot) && entry.includes(".tar.gz"));
  return join(folder, file ?? "");
}

const fetched = (path: string) => fetch(visited.origin + path, { headers });

describe("the tab of backups", () => {
  it("backs up, and shows what there is, why it is kept and until when", async () => {
    const empty = words((await get("/addons/cache/backups")).body);
    expect(empty).toContain("cache has no backups yet");
    const done = await activity("/addons/cache/backups");
    expect(words(done)).toMatch(/Backup \d{8}T\d{9}Z: .*1 key, verified\./i);
    const page = await get("/addons/cache/backups");
    expect(page.status).toBe(200);
    const told = words(page.body);
    expect(told).toMatch(/on demand verified - at most 7 days old, the newest, the newest verified; until/);
    expect(told).toContain("Schedule daily at 03:00 (UTC)");
    expect(told).toContain("Kept 7 days");
    expect(told).toMatch(/\d{4}-\d\d-\d\d: one backup, verified/);
    expect(told).toContain("Back up cache done");
  });

  it("joins the backup that runs already", async () => {
    const [one, other] = await Promise.all([post("/addons/cache/backups"), post("/addons/cache/backups")]);
    expect(one.headers.location).toBe(other.headers.location);
    await eventually(
      "it ends",
      async () => !(await get(one.headers.location ?? "")).body.includes("under way"),
    );
  });

  it("says of what isn't there that it isn't", async () => {
    expect((await get("/addons/nobody/backups")).status).toBe(404);
    expect((await post("/addons/nobody/backups")).status).toBe(404);
    const unknown = await get("/addons/cache/backups/20200101T000000000Z");
    expect(unknown.status).toBe(404);
    expect(words(unknown.body)).toContain("There is no such backup. There are: ");
    expect((await get("/addons/cache/backups/latest")).status).toBe(404);
    expect((await get("/addons/cache/backups?before=1")).status).toBe(404);
    expect((await get("/addons/cache/activities/1")).status).toBe(404);
    expect((await get("/addons/..%2Fcache/backups")).status).toBe(404);
  });
});

describe("one backup", () => {
  it("is pinned with a note, verified, and unpinned", async () => {
    const slot = await backUp();
    const path = `/addons/cache/backups/${slot}`;
    expect((await post(`${path}/pin`, { note: "<b>before</b> the move" })).status).toBe(303);
    expect((await get(path)).body).toContain("It is pinned: &lt;b&gt;before&lt;/b&gt; the move");
    const list = words((await get("/addons/cache/backups")).body);
    expect(list).toContain("&lt;b&gt;before&lt;/b&gt; the move");
    expect(list).toContain("stays until it is unpinned");
    const refused = await post(`${path}/delete`);
    expect(refused.status).toBe(409);
    expect(words(refused.body)).toContain("It is pinned. Unpin it first.");
    expect(words(await activity(`${path}/verify`))).toContain(`backup ${slot}: verified, 1 key`);
    expect((await post(`${path}/unpin`)).status).toBe(303);
    expect((await get(path)).body).not.toContain("It is pinned");
    expect((await post(`${path}/pin`, { note: "x".repeat(501) })).status).toBe(400);
  });

  it("is deleted once that was confirmed, and the newest verified only by a second word", async () => {
    const slot = await backUp();
    const path = `/addons/cache/backups/${slot}/delete`;
    const asked = await get(path);
    expect(words(asked.body)).toMatch(/This would remove file:\/\/.* for ever\./);
    expect((await get(path)).status).toBe(200);
    const refused = await post(path);
    expect(refused.status).toBe(409);
    expect(words(refused.body)).toContain("It is the newest one that was verified.");
    expect(refused.body).toContain('name="evenNewestVerified" value="yes"');
    expect((await post(path, { evenNewestVerified: "yes" })).status).toBe(303);
    expect((await get(`/addons/cache/backups/${slot}`)).status).toBe(404);
  });

  it("is downloaded as it is stored, by name and length", async () => {
    const slot = await backUp();
    const answer = await fetched(`/addons/cache/backups/${slot}/archive`);
    const archive = await readFile(await archiveOf(slot));
    expect(answer.headers.get("content-length")).toBe(String(archive.length));
    expect(answer.headers.get("content-disposition")).toMatch(
      new RegExp(`^attachment; filename="${slot}-[a-z0-9]+.tar.gz"$`, "i"),
    );
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(archive);
    const asked = await visited.ask(`/addons/cache/backups/${slot}/archive`, { method: "HEAD", headers });
    expect(asked.headers["content-length"]).toBe(String(archive.length));
    expect(await isOpen(slot)).toBe(false);
  });

  it("is read no further once who downloads it has gone", async () => {
    // More than the system keeps for a connection.
    await run(cache, "SET", "large", randomText(16_000_000));
    const slot = await backUp();
    await run(cache, "DEL", "large");
    const gone = new AbortController();
    // What lets go of a file only once nobody remembers it warns of that.
    const warnings: string[] = [];
    const warned = ({ message }: Error) => void warnings.push(message);
    process.on("warning", warned);
    const path = `/addons/cache/backups/${slot}/archive`;
    const answer = await fetch(visited.origin + path, { headers, signal: gone.signal });
    await answer.body?.getReader().read();
    expect(await isOpen(slot)).toBe(true);
    gone.abort();
    await eventually("the archive to be let go of", async () => !(await isOpen(slot)));
    process.off("warning", warned);
    expect(warnings.filter((message) => /garbage collection/.test(message))).toEqual([]);
  });
});

/** Whether this process, which serves the console, has the archive open. */
async function isOpen(slot: string): Promise<boolean> {
  const open = await readdir("/proc/self/fd");
  const files = await Promise.all(open.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
  return files.some((file) => file.includes(`${slot}-`));
}

describe("a page of backups that stays open", () => {
  it("asks the store again only once there is something to see", async () => {
    const { record } = await make(home, "watched");
    await run(record, "SET", "a", "b");
    const first = await backUp("watched");
    const again = (body: string) =>
      /data-live-from="([^"]+)"/.exec(body)?.[1]?.replaceAll("&amp;", "&") ?? "nowhere";
    const page = (await get("/addons/watched/backups")).body;
    expect(page).toContain(`/addons/watched/backups/${first}`);
    const unchanged = (await get(again(page))).body;
    expect(unchanged).not.toContain('id="list"');
    expect(unchanged).toContain('id="activities"');
    await home.platform.backUp("watched", home.task);
    const changed = (await get(again(unchanged))).body;
    expect(changed.match(/<th scope="row">\s*<a href/g)).toHaveLength(2);
    for (const part of ["state", "calendar", "list", "notes", "activities"])
      expect(changed).toContain(`id="${part}"`);
    visited.passMs(60_000);
    expect((await get(again(changed))).body, "what others did meanwhile").toContain('id="list"');
  });
});

describe("backups of deleted add-ons", () => {
  it("are listed with what brings them back", async () => {
    const { record } = await make(home, "bygone");
    await run(record, "SET", "a", "b");
    expect((await get("/deleted")).body).not.toContain("bygone");
    await remove(home.platform, { name: "bygone", token: "t1" }, home.task);
    const page = await get("/deleted");
    expect(page.status).toBe(200);
    const told = words(page.body);
    expect(told).toMatch(
      /bygone One backup, the newest \S+ \S+ UTC , \d+ \w+ ago, the newest verified one the same/,
    );
    expect(told).toContain('restoreFrom: { addon: "bygone" }');
    expect(told).toContain(`redis-addon backup list ${record.catalogKey} --store`);
    expect(told).not.toContain("cache-restored");
  });
});

describe("many backups", () => {
  it("stand on pages of a hundred, the newest first, and the calendar knows all of them", async () => {
    const { record } = await make(home, "many");
    await run(record, "SET", "a", "b");
    const slot = await backUp("many");
    const folder = join(layoutOf(home.path).backups, record.catalogKey);
    const manifest = JSON.parse(await readFile(join(folder, `${slot}.json`), "utf8")) as Manifest;
    const hoursAgo = (hours: number) => formatSlot((parseSlot(slot) ?? 0) - hours * 3_600_000);
    for (let hours = 1; hours < 230; hours++) {
      const older = hoursAgo(hours);
      const archive = { ...manifest.archive, name: manifest.archive.name.replace(slot, older) };
      await link(join(folder, manifest.archive.name), join(folder, archive.name));
      await writeFile(join(folder, `${older}.json`), JSON.stringify({ ...manifest, slot: older, archive }));
    }
    const shown = (body: string) =>
      [...body.matchAll(/<th scope="row">\s*<a href="\/addons\/many\/backups\/(\w+)"/g)].map(
        ([, found]) => found,
      );
    const first = await get("/addons/many/backups");
    expect(shown(first.body)).toEqual([
      slot,
      ...Array.from({ length: 99 }, (_, index) => hoursAgo(index + 1)),
    ]);
    expect(words(first.body)).toContain("1 to 100 of 230");
    expect(words(first.body)).toMatch(/\d{4}-\d\d-\d\d: 24 backups, 0 of them verified/);
    const last = await get(`/addons/many/backups?before=${hoursAgo(199)}`);
    expect(shown(last.body)).toEqual(Array.from({ length: 30 }, (_, index) => hoursAgo(index + 200)));
    expect(words(last.body)).toContain("201 to 230 of 230");
    expect(last.body).not.toContain(">Older<");
    expect(shown((await get(`/addons/many/backups?before=${hoursAgo(500)}`)).body)).toEqual([]);
  });
});

describe("a download of what is no longer what was written", () => {
  it("fails before its end, however much came, and a small one with a page", async () => {
    await run(cache, "SET", "large", randomText(3_000_000));
    const slot = await backUp();
    await run(cache, "DEL", "large");
    const path = await archiveOf(slot);
    const archive = await readFile(path);
    const last = archive.length - 1;
    archive[last] = (archive[last] ?? 0) ^ 1;
    await writeFile(path, archive);
    const answer = await fetched(`/addons/cache/backups/${slot}/archive`);
    expect(answer.status).toBe(200);
    let arrived = 0;
    const read = async () => {
      for await (const chunk of answer.body ?? []) arrived += (chunk as Uint8Array).length;
    };
    await expect(read()).rejects.toThrow();
    expect(arrived).toBeLessThan(archive.length);

    await writeFile(path, archive.subarray(0, 100));
    const small = await fetched(`/addons/cache/backups/${slot}/archive`);
    expect(small.status).toBe(409);
    expect(words(await small.text())).toContain(`It ends after 100 of ${archive.length} bytes.`);

    await rm(path);
    const gone = await fetched(`/addons/cache/backups/${slot}/archive`);
    expect(gone.status).toBe(409);
    expect(words(await gone.text())).toContain("Its archive is gone, and with it the data.");
    expect(words((await get("/addons/cache/backups")).body)).toContain("no archive");
  });
});

describe("a restore into a new add-on", () => {
  it("is previewed, made, and handed over to a program that adopts it", async () => {
    await run(cache, "SET", "kept", "then");
    const slot = await backUp();
    await run(cache, "SET", "kept", "now");
    const path = `/addons/cache/backups/${slot}/restore-new`;
    const preview = await get(path);
    const told = words(preview.body);
    expect(preview.body).toContain('value="cache-restored"');
    expect(told).toContain("s_mono: 128 MiB");
    expect(told).toContain(`Its data will be those of backup ${slot}`);
    expect(words((await get(`${path}?name=cache`)).body)).toContain("There is an add-on cache already");
    expect((await post(path, { name: "cache", plan: "s_mono" })).status).toBe(400);
    expect((await post(path, { name: "../x", plan: "s_mono" })).status).toBe(400);
    expect((await post(path, { name: "other", plan: "xs" })).status).toBe(400);

    const done = await activity(path, { name: "cache-restored", plan: "m_mono" });
    expect(words(done)).toContain(`restored from backup ${slot} (1 key)`);
    expect(words(done)).toContain("redis-addon hand-over cache-restored");
    expect(words(done)).toContain('name: "cache-restored"');
    const restored = await home.platform.load("cache-restored");
    if (restored === undefined) throw new Error("it is not there");
    expect(await run(restored, "GET", "kept")).toBe("then");
    expect(restored.owner).toEqual({ project: "redis-addon-console", stack: "restored" });

    expect(words((await get("/addons/cache-restored/backups")).body)).toContain(
      "It was made in this console, and belongs to redis-addon-console/restored.",
    );
    const wish = { ...SMALL, plan: "m_mono" } as const;
    const program = { name: "cache-restored", claim: creates("t9"), wish, given: [] };
    await expect(provision(home.platform, program, home.task)).rejects.toThrow(
      "redis-addon-console/restored",
    );
    await handOver(
      home.platform,
      { name: "cache-restored", to: { project: "shop", stack: "dev" } },
      home.task,
    );
    const adopted = await provision(home.platform, program, home.task);
    expect((await get("/addons/cache-restored/backups")).body).not.toContain("redis-addon hand-over");
    expect(await run(adopted, "GET", "kept")).toBe("then");
  });
});

describe("a restore in place", () => {
  it("says what it replaces, wants the name typed, and keeps what was there", async () => {
    await run(cache, "SET", "kept", "good");
    const slot = await backUp();
    await run(cache, "MSET", "kept", "bad", "more", "x");
    const path = `/addons/cache/backups/${slot}/restore-in-place`;
    const preview = words((await get(path)).body);
    expect(preview).toMatch(
      /2 keys \(.*\) of cache will be replaced by backup .*a verified backup of them is taken/,
    );
    expect(preview).toContain("Its newest verified backup is of");
    expect((await get(path)).body).toContain("To confirm, type the add-on's name");
    const refused = await post(path, { confirm: "cash" });
    expect(refused.status).toBe(400);
    expect(words(refused.body)).toContain("nothing was changed");
    expect(await run(cache, "GET", "kept")).toBe("bad");

    const done = await activity(path, { confirm: "cache" });
    expect(words(done)).toMatch(
      /restored from backup \S+ \(1 key\) in .*what it held before is in the backup/,
    );
    expect(await run(cache, "GET", "kept")).toBe("good");
    expect(words((await get("/addons/cache/backups")).body)).toMatch(/ safety verified /);
  });
});

describe("backups that are encrypted with a key that is not kept", () => {
  it("ask for it in a form, and say so where it is missing or wrong", async () => {
    const { record } = await make(home, "locked", { tier: "premium" });
    await run(record, "SET", "kept", "secret");
    const { generateIdentity, identityToRecipient } = await import("age-encryption");
    const identity = await generateIdentity();
    const recipient = await identityToRecipient(identity);
    const wish = {
      schedule: { daily: "03:00" },
      retention: { days: 7 },
      encryption: { recipients: [recipient] },
    };
    const claim = creates("p1");
    await setBackups(home.platform, { name: "locked", claim, wish, given: [] }, home.task);
    const slot = await backUp("locked");
    const path = `/addons/locked/backups/${slot}`;
    const page = await get(path);
    expect(page.body).toMatch(/<input[^>]* name="key"[^>]* type="password"/);
    expect(words(page.body)).toContain("age --decrypt --identity key.txt");
    expect(words((await get("/addons/locked/backups")).body)).toContain("encrypted");

    expect(words(await activity(`${path}/verify`, { key: identity }))).toContain("verified, 1 key");
    const wrong = await post(`${path}/verify`, { key: "hunter2hunter2" });
    expect(wrong.status).toBe(400);
    expect(wrong.body).not.toContain("hunter2");

    const preview = words((await get(`${path}/restore-in-place`)).body);
    expect(preview).toContain("1 key");
    expect(preview).toContain("will be replaced");
    const unopened = await activity(`${path}/restore-in-place`, { confirm: "locked" });
    expect(words(unopened)).toContain("It is encrypted to recipients");
    const opened = await activity(`${path}/restore-in-place`, { confirm: "locked", key: identity });
    expect(words(opened)).toContain("restored from backup");
    expect(opened).not.toContain(identity);
  });
});

describe("a store that can't be reached", () => {
  it("is said, what is noted here is shown all the same, and a backup fails with words that say why", async () => {
    const { record } = await make(home, "far", { tier: "premium" });
    await run(record, "SET", "a", "b");
    const folder = join(home.path, "elsewhere");
    await mkdir(folder);
    await storesAt("far", `file://${folder}`);
    const slot = await backUp("far");
    await rename(folder, `${folder}-away`);
    // Nobody can follow it.
    await symlink(folder, folder);
    const page = await get("/addons/far/backups");
    expect(page.status).toBe(200);
    const told = words(page.body);
    expect(told).toContain("Cannot list");
    expect(told).toContain("what this machine has noted");
    expect(told).toContain("Schedule daily at 04:00 (UTC)");
    expect(told).toContain(`backup ${slot} , verified`);
    expect(told).toContain("Back up now");
    expect((await get(`/addons/far/backups/${slot}`)).status).toBe(409);
    const failed = words(await activity("/addons/far/backups"));
    expect(failed).toContain("Back up far failed");
    expect(failed).toContain("a link in the path leads back to itself. Correct the link.");
    expect(words((await get("/addons/far/backups")).body)).toContain("Back up far failed");
  });

  it("is waited for no longer than a few seconds where it does not answer", async () => {
    await make(home, "mute", { tier: "premium" });
    await using silent = new AsyncDisposableStack();
    const server = createServer(() => undefined);
    silent.defer(() => server.closeAllConnections());
    silent.defer(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await storesAt("mute", `s3://bucket/redis?region=eu-west-1&endpoint=http://127.0.0.1:${port}`);
    const page = await get("/addons/mute/backups");
    expect(page.status).toBe(200);
    expect(words(page.body)).toContain("They were not listed within 5 s.");
  });
});

describe("a console that ends in the middle", () => {
  it("leaves a backup to the agent, and what a restore was to replace as it was", async () => {
    const { record } = await make(home, "left");
    await run(record, "SET", "kept", "first");
    const slot = await backUp("left");
    await run(record, "SET", "kept", "second");
    const start = async (path: string, fields: Readonly<Record<string, string>>, job: string) => {
      await using other = await startConsole({ home: home.path });
      const answer = await other.ask(path, {
        method: "POST",
        headers: {
          ...(await other.logIn()),
          "content-type": "application/x-www-form-urlencoded",
          origin: other.origin,
        },
        body: new URLSearchParams(fields).toString(),
      });
      expect(answer.status).toBe(303);
      await eventually("the agent to have begun it", async () =>
        (await readdir(layoutOf(home.path).jobs)).some((name) => name.startsWith(job)),
      );
    };
    await start("/addons/left/backups", {}, "left-demand");
    const place = await placeOf({ kind: "addon", platform: home.platform, name: "left" });
    await eventually("the backup", async () => (await listBackups(place, home.task)).backups.length === 2);

    const path = `/addons/left/backups/${slot}/restore-in-place`;
    await start(path, { confirm: "left" }, "left-restore");
    // After all that was asked of the agent about it before.
    const after = await change(home, "left", {});
    expect(after.record.restored).toBeUndefined();
    expect(after.record.restoring).toBeUndefined();
    expect(await run(record, "GET", "kept")).toBe("second");
  });
});

describe("a manifest that can't be read", () => {
  it("hides no other backup, and says why", async () => {
    const slot = await backUp();
    const manifest = join(layoutOf(home.path).backups, cache.catalogKey, `${slot}.json`);
    const text = await readFile(manifest, "utf8");
    await chmod(manifest, 0o600);
    await writeFile(manifest, "{");
    const told = words((await get("/addons/cache/backups")).body);
    expect(told).toContain("it is no JSON");
    expect(told).toMatch(/on demand/);
    const asked = words((await get(`/addons/cache/backups/${slot}/delete`)).body);
    expect(asked).toContain("a damaged manifest (it is no JSON) and every archive of that slot");
    await writeFile(manifest, text);
    expect((await post(`/addons/cache/backups/${slot}/delete`, { evenDamaged: "yes" })).status).toBe(409);
  });
});

describe("the add-on itself", () => {
  it("is left running by all of that", async () => {
    const status = await inspect(home.platform, "cache", home.task);
    expect(status?.server.state).toBe("running");
  });
});

async function storesAt(name: string, destination: string): Promise<void> {
  const credentials = destination.startsWith("s3:")
    ? { credentials: { accessKeyId: "id", secretAccessKey: "secret" } }
    : {};
  const wish = { schedule: { daily: "04:00" }, retention: { days: 7 }, destination, ...credentials };
  await setBackups(home.platform, { name, claim: creates("p1"), wish, given: [] }, home.task);
}

/** Doesn't shrink much. */
function randomText(bytes: number): string {
  return randomBytes(bytes).toString("base64");
}
