import { once } from "node:events";
import { chmod, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BackupStatus } from "../../provider/operations/backup-status";
import { startAgent, stopAgent } from "../../provider/operations/agent";
import { setBackups } from "../../provider/operations/backups";
import { layoutOf } from "../../provider/platforms/local/home";
import { readRecord } from "../../provider/platforms/local/records";
import { carries, creates, makeTestHome, type TestHome } from "../support/data-home";
import { redisAddon as runRedisAddon } from "../support/redis-addon";
import { make } from "./agent-support";

const DAY = 86_400_000;

let home: TestHome;

beforeAll(async () => {
  home = await makeTestHome();
  for (const name of ["cache", "queue"]) await make(home, name);
});
afterAll(() => home[Symbol.asyncDispose]());

const redisAddon = (...args: string[]) => runRedisAddon(home.path, ...args);

async function statusOf(...names: string[]): Promise<{ code: number; all: BackupStatus[] }> {
  const { code, stdout } = await redisAddon("backup", "status", ...names, "--json");
  return { code, all: JSON.parse(stdout) as BackupStatus[] };
}

/** As if it had been made ten days ago; the agent must not run. */
async function age(name: string): Promise<void> {
  const file = layoutOf(home.path).addon(name).record;
  const found = await readRecord(layoutOf(home.path), name);
  if (found === undefined) throw new Error(`no record of ${name}`);
  const { scheduledSince: _, ...record } = found;
  const createdAt = new Date(Date.now() - 10 * DAY).toISOString();
  const backups = record.backups && { ...record.backups, since: createdAt };
  await writeFile(file, JSON.stringify({ ...record, createdAt, backups }));
}

/** As if its last run had gone so; the agent must not run. */
async function note(name: string, change: object): Promise<void> {
  const file = layoutOf(home.path).addon(name).backups;
  const noted: unknown = JSON.parse(await readFile(file, "utf8").catch(() => "{}"));
  const at = new Date().toISOString();
  await writeFile(
    file,
    JSON.stringify({ at, outcome: "backed-up", detail: "", ...Object(noted), ...change }),
  );
}

describe("redis-addon backup status", () => {
  it("is content with an add-on that was made just now, and says that no backup is known to be good", async () => {
    const { code, stdout } = await redisAddon("backup", "status", "cache");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Backups +fresh$/m);
    expect(stdout).toMatch(/^Schedule +daily at 03:00 \(UTC\)$/m);
    expect(stdout).toMatch(/^Next run +\d{4}-\d\d-\d\dT03:00:00\.000Z$/m);
    expect(stdout).toMatch(/^Last run +none yet$/m);
    expect(stdout).toMatch(/^Newest verified +none is known$/m);
    expect(stdout).toMatch(/^Stored +none$/m);
    expect(stdout).toMatch(/^Kept +7 days$/m);
    expect(stdout).toContain(`file://${home.path}/backups/cache-`);
    expect(stdout).not.toMatch(/^(Alerts|!)/m);
  });

  it("tells the newest verified backup with its age, how many there are and their size; of all in a table", async () => {
    const taken = await redisAddon("backup", "run", "cache", "--json");
    const { sizeBytes } = JSON.parse(taken.stdout) as { sizeBytes: number };
    const { code, all } = await statusOf("cache");
    expect(code).toBe(0);
    expect(all).toMatchObject([
      {
        ...{ addon: "cache", health: { state: "fresh" }, lastRun: { outcome: "backed-up" } },
        stored: { backups: 1, verified: 1, sizeBytes },
      },
    ]);
    expect(all[0]?.ageSeconds).toBeLessThan(60);

    const table = await redisAddon("backup", "status");
    expect(table.code).toBe(0);
    expect(table.stdout).toMatch(/^NAME +BACKUPS +NEWEST VERIFIED +LAST RUN +NEXT RUN +STORED +SIZE/m);
    expect(table.stdout).toMatch(/^cache +fresh +\d+ s ago +\S+ backed up +\S+ +1 +\S+ \S+/m);
    expect(table.stdout).toMatch(/^queue +fresh +never +- /m);
    expect((await redisAddon("list")).stdout).toMatch(/^cache .* \d+ s ago$/m);
    expect((await redisAddon("info", "cache")).stdout).toMatch(/^Newest verified +\S+Z, \d+ s ago$/m);
  });

  it("shows whom a webhook calls, without the rest of its URL", async () => {
    const schedule = { every: "6h" };
    const alerts = { webhook: "https://hooks.example/T0/very-secret" };
    const wish = { schedule, retention: { keepLast: 3, weekly: 4 }, alerts };
    const claim = creates("p1");
    await setBackups(home.platform, { name: "queue", claim, wish, given: [] }, home.task);
    for (const args of [
      ["backup", "status", "queue"],
      ["info", "queue"],
    ]) {
      const { stdout } = await redisAddon(...args);
      expect(stdout).toMatch(/^(Backup a|A)lerts +to https:\/\/hooks\.example$/m);
      expect(stdout).toContain("the last 3 or one a week for 4 weeks");
    }
    expect(JSON.stringify(await statusOf())).not.toContain("very-secret");
  });

  it("does not know an add-on that isn't there, and takes no URL for one", async () => {
    expect(await redisAddon("backup", "status", "cash")).toMatchObject({ code: 3, stdout: "" });
    const url = await redisAddon("backup", "status", "redis://x:secret@host");
    expect(url).toMatchObject({ code: 2, stdout: "" });
    expect(url.stderr).not.toContain("secret");
  });

  it("waits a few seconds at most for a store that does not answer, and tells the rest", async () => {
    await using store = await silentServer();
    const destination = `s3://bucket/redis?endpoint=http://127.0.0.1:${store.port}&pathStyle=true&region=x`;
    const credentials = { accessKeyId: "id", secretAccessKey: "very-secret" };
    const wish = { schedule: { every: "6h" }, retention: { days: 7 }, destination, credentials };
    await setBackups(home.platform, { name: "queue", claim: carries("p1"), wish, given: [] }, home.task);
    const { code, stdout } = await redisAddon("backup", "status", "queue");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Stored +not known: they were not listed within 5 s$/m);
    expect(stdout).toMatch(/^Destination +s3:\/\/bucket\/redis\/queue-\w+$/m);
    expect(stdout).not.toContain("very-secret");
    const back = { schedule: wish.schedule, retention: wish.retention };
    await setBackups(
      home.platform,
      { name: "queue", claim: carries("p1"), wish: back, given: [] },
      home.task,
    );
  });

  describe("while no agent runs", () => {
    beforeAll(async () => {
      await stopAgent(home.path, true, home.task);
      for (const name of ["cache", "queue"]) await age(name);
    });
    afterAll(() => startAgent(home.path, home.task));

    it("says so, and ends with code 9 where the newest verified backup is too old or missing", async () => {
      const one = await redisAddon("backup", "status", "queue");
      expect(one.code).toBe(9);
      expect(one.stdout).toMatch(/^Backups +overdue: ./m);
      expect(one.stdout).toMatch(/^Next run +\S+, if an agent runs then$/m);
      expect(one.stdout).toMatch(/^! the agent is not running/m);
      expect((await statusOf("cache")).code).toBe(0);
      const all = await redisAddon("backup", "status");
      expect(all.code).toBe(9);
      expect(all.stdout).toMatch(/^cache +fresh/m);
      expect(all.stdout).toMatch(/^queue +overdue +never/m);
      expect(all.stdout).toMatch(/^! queue: ./m);
    });

    it("ends with code 9 where the last run failed, however young the newest verified backup is", async () => {
      await note("cache", { outcome: "failed", detail: "cannot back up cache: the disk is full" });
      const { code, all } = await statusOf("cache");
      expect(code).toBe(9);
      expect(all).toMatchObject([{ health: { state: "failing", why: /disk is full/ } }]);
      await note("cache", { outcome: "backed-up" });
      expect((await statusOf("cache")).code).toBe(0);
    });

    it("believes the store, not what was noted, where the backups are gone from it", async () => {
      const folder = join(home.path, "backups");
      const [noted] = (await statusOf("cache")).all;
      expect(noted).not.toHaveProperty("missing");
      await rename(folder, `${folder} elsewhere`);
      const { code, all } = await statusOf("cache");
      expect(code).toBe(9);
      const { newestVerified: missing } = noted ?? {};
      expect(all).toMatchObject([{ health: { state: "overdue" }, stored: { backups: 0 }, missing }]);
      const { stdout } = await redisAddon("backup", "status", "cache");
      expect(stdout).toContain(`! the verified one of ${missing} is not there`);
      await rename(`${folder} elsewhere`, folder);
      expect((await statusOf("cache")).code).toBe(0);
    });

    it("goes by what was noted where the store can't be asked, and says that nobody could count", async () => {
      const folder = join(home.path, "backups");
      await rename(folder, `${folder} elsewhere`);
      // A link to itself: not even root gets in.
      await symlink(folder, folder);
      const { code, stdout } = await redisAddon("backup", "status", "cache");
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Newest verified +\S+Z, /m);
      expect(stdout).toMatch(/^Stored +not known: ./m);
      expect((await redisAddon("backup", "status")).stdout).toMatch(
        /^! cache, queue: how many there are is not known: ./m,
      );
      await rm(folder);
      await rename(`${folder} elsewhere`, folder);
    });

    it("ends with code 1 where a record can't be read, and shows the others", async () => {
      const file = layoutOf(home.path).addon("queue").record;
      const record = await readFile(file, "utf8");
      await writeFile(file, "{");
      const { code, stdout, stderr } = await redisAddon("backup", "status");
      expect(code).toBe(1);
      expect(stdout).toMatch(/^cache +fresh/m);
      expect(stderr).toMatch(/^! .*queue/m);
      await writeFile(file, record);
      await chmod(file, 0o600);
    });
  });
});

/** Takes connections and never answers. */
async function silentServer() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
