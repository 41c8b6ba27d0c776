import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dueNow } from "../../provider/agent/backups/due-now";
import { ManifestSchema, type Manifest } from "../../provider/core/manifest";
import { startAgent, stopAgent } from "../../provider/operations/agent";
import { follows } from "../support/follow";
import { provision } from "../support/provision";
import { layoutOf } from "../../provider/platforms/local/home";
import { readBackupState } from "../../provider/platforms/local/process-state";
import { readRecord } from "../../provider/platforms/local/records";
import { creates, eventually, makeTestHome, SMALL, type TestHome } from "../support/data-home";

const DAY = 86_400_000;
const STARTED_AT = Date.now();

function make(home: TestHome, name: string) {
  const request = { name, claim: creates("t1"), wish: SMALL, given: ["plan"] };
  return provision(home.platform, request, home.task);
}

/** As if the add-on had been made days ago and never been backed up; the agent must not run. */
async function age(home: TestHome, name: string, days: number, state?: object): Promise<void> {
  const files = layoutOf(home.path).addon(name);
  const record = await readRecord(layoutOf(home.path), name);
  const createdAt = new Date(STARTED_AT - days * DAY).toISOString();
  // A follower knows its leader by when that was made.
  const replication = record?.replication && { ...record.replication, leaderCreatedAt: createdAt };
  await writeFile(files.record, JSON.stringify({ ...record, createdAt, replication }));
  await rm(files.backups, { force: true });
  if (state !== undefined) await writeFile(files.backups, JSON.stringify(state));
}

/** The manifests in `<home>/backups` of one add-on, oldest first. */
async function manifests(home: TestHome, name: string): Promise<Manifest[]> {
  const record = await readRecord(layoutOf(home.path), name);
  const folder = join(home.path, "backups", record?.catalogKey ?? "");
  const files = (await readdir(folder).catch(() => [])).filter((file) => /^\w+\.json$/.test(file)).sort();
  return Promise.all(
    files.map(async (file) => ManifestSchema.parse(JSON.parse(await readFile(join(folder, file), "utf8")))),
  );
}

/** The newest 03:00 UTC. */
function lastNight(): number {
  const today = Math.floor(Date.now() / DAY) * DAY + 3 * 3_600_000;
  return today <= Date.now() ? today : today - DAY;
}
const spelt = (slot: number) => new Date(slot).toISOString().replace(/[-:.]/g, "");

describe("without a policy", () => {
  it("leader and follower are backed up into the data home, once for last night, also by the next agent", async () => {
    await using home = await makeTestHome();
    for (const name of ["copy", "lead", "young", "zebra"]) await make(home, name);
    await follows(home, { name: "copy", leader: "lead" });
    await stopAgent(home.path, false, home.task);
    const ahead = Date.parse("2035-01-01T00:00:00Z");
    const noted = {
      at: new Date(ahead).toISOString(),
      outcome: "backed-up",
      detail: "x",
      newestSlotAt: ahead,
    };
    await age(home, "copy", 3);
    // Noted by a clock that was ahead.
    await age(home, "lead", 3, noted);

    const slots = [spelt(lastNight())];
    await startAgent(home.path, home.task);
    for (const name of ["copy", "lead"]) {
      const taken = await eventually(`${name} is backed up`, async () => {
        const found = await manifests(home, name);
        return found.length > 0 && found;
      });
      slots.push(spelt(lastNight()));
      expect(taken).toMatchObject([{ reason: "scheduled", addon: { name } }]);
      expect(slots).toContain(taken[0]?.slot);
      await eventually(`${name}'s backup is noted`, async () => {
        const state = await readBackupState(layoutOf(home.path).addon(name));
        return state?.outcome === "backed-up" && state.detail === taken[0]?.slot;
      });
    }

    // Looks are taken by name: once the last one's backup is there, the next agent has looked at all.
    await stopAgent(home.path, false, home.task);
    await age(home, "zebra", 3);
    await startAgent(home.path, home.task);
    await eventually("zebra is backed up", async () => (await manifests(home, "zebra")).length > 0);
    const counts = await Promise.all(
      ["copy", "lead", "young"].map(async (name) => (await manifests(home, name)).length),
    );
    // A run that goes on past 03:00 sees another night.
    if (spelt(lastNight()) === slots[0]) expect(counts).toEqual([1, 1, 0]);
  });

  it("a backup that failed is noted with its cause, and is not tried again at once", async () => {
    await using home = await makeTestHome();
    await make(home, "cache");
    await make(home, "zebra");
    await stopAgent(home.path, false, home.task);
    for (const name of ["cache", "zebra"]) await age(home, name, 3);
    // Neither is a folder: the first look finds both due and both fail.
    await writeFile(join(home.path, "backups"), "a file");
    await startAgent(home.path, home.task);
    const state = await eventually("the failure is noted", async () => {
      const seen = await readBackupState(layoutOf(home.path).addon("cache"));
      return seen?.outcome === "failed" && seen;
    });
    expect(state).toMatchObject({ failures: 1, detail: expect.stringContaining("cannot back up cache") });
    const record = await readRecord(layoutOf(home.path), "cache");
    if (record === undefined) throw new Error("no record");
    const failedAt = Date.parse(state.at);
    expect(dueNow(record, state, failedAt + 59_999)).toBeUndefined();
    expect(dueNow(record, state, failedAt + 60_000)).toMatchObject({ kind: "scheduled" });
  });
});
