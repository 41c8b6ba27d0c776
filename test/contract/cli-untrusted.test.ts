import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { temporaryStore } from "./backup-support";
import { makeCli } from "./cli-support";

const SLOT = "20260501T033000000Z";
const CLEAR_SCREEN = "\u001B[2J";
const INSTANT = "2026-05-01T03:30:00.000Z";

const FORGED = {
  [`${SLOT}.json`]: {
    format: 1,
    addon: { name: "cache", catalogKey: "cache" },
    slot: SLOT,
    reason: "demand",
    archive: { name: `${SLOT}-a.tar.gz`, sizeBytes: 6, sha256: "0".repeat(64) },
    files: [],
    takenAt: INSTANT,
    finishedAt: INSTANT,
    replication: { id: `id${CLEAR_SCREEN}`, offset: 1 },
    server: { name: "redis", version: `7.0.15${CLEAR_SCREEN}` },
    rdb: { magic: "REDIS0010", version: 10, sizeBytes: 1 },
    keyspace: {
      source: "INFO before the snapshot",
      keys: 1,
      databases: {},
    },
  },
  [`${SLOT}.pin`]: { format: 1, at: INSTANT, note: `kept${CLEAR_SCREEN}` },
  "20260502T033000000Z.json": { format: 1, keyspace: { databases: { [CLEAR_SCREEN]: 1 } } },
};

test("what others wrote into a store cannot steer the terminal that shows it", async () => {
  await using cli = await makeCli();
  await using opened = await temporaryStore();
  for (const [name, content] of Object.entries(FORGED))
    await opened.store.put(
      `cache/${name}`,
      Readable.from([Buffer.from(JSON.stringify(content))], { objectMode: false }),
      { signal: new AbortController().signal },
    );
  const shown = await cli.run(["backup", "show", "cache", SLOT, "--store", opened.url]);
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining("redis 7.0.15?[2J") });
  expect(shown.stdout).toContain("kept?[2J");
  const listed = await cli.run(["backup", "list", "cache", "--store", opened.url]);
  expect(listed.stderr).toContain("no manifest of format 1");
  expect(shown.stdout + listed.stdout + listed.stderr).not.toContain("\u001B");
});
