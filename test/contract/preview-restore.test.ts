import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { previewRestore, type RestoreQuestion } from "../../provider/operations/preview-restore";
import { localPlatform } from "../../provider/platforms/local/local-platform";
import { makeTestHome, type TestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { make, run } from "./agent-support";
import { temporaryFolder } from "./backup-support";
import { type BackedUp, backedUp, CATALOG, copyOf, put, RICH, SLOT } from "./verify-support";

let stored: BackedUp;
beforeAll(async () => {
  stored = await backedUp();
});
afterAll(() => stored[Symbol.asyncDispose]());

/** Roomy enough, unless it says otherwise. */
const SERVER = { plan: "m_mono", evictionPolicy: "noeviction" } as const;

function question(name: string, more: Partial<RestoreQuestion> = {}, replaceData = false): RestoreQuestion {
  const from = { url: `${stored.url}/${CATALOG}`, backup: "latest" };
  return { name, server: SERVER, restore: { from, secrets: {}, replaceData }, ...more };
}

const seen = (home: Pick<TestHome, "platform">, ...asked: Parameters<typeof question>) =>
  previewRestore(home.platform, question(...asked));

const WORDS = new RegExp(
  `backup ${SLOT} \\(taken \\S+Z, about ${RICH.keys} keys, \\d+ KiB, not verified yet\\)`,
);

it("the preview of a create says which backup its data will be those of, and makes nothing", async () => {
  await using folder = await temporaryFolder();
  const platform = localPlatform(folder.path);
  expect(await previewRestore(platform, question("cache"))).toEqual({
    refusals: [],
    warnings: [],
    plans: [expect.stringMatching(WORDS)],
  });
  expect(await readdir(folder.path)).toEqual([]);
});

it("the backup is compared with the add-on as it is wished", async () => {
  const platform = localPlatform("/nonexistent/home");
  const reasons = async (asked: Parameters<typeof question>[1]) =>
    (await seen({ platform }, "cache", asked)).refusals.map(
      ({ property, cause, hint }) => `${property}: ${cause}. ${hint}`,
    );
  expect(await reasons({ server: { ...SERVER, plan: "s_mono" } })).toEqual([
    expect.stringMatching(/^restoreFrom: .*keys in database 3.*m_mono/),
  ]);
  await using newer = await copyOf(stored);
  const { manifest, store, url } = newer;
  const written = {
    server: { name: "redis", version: "8.0.1" },
    rdb: { ...manifest.rdb, magic: "REDIS0012", version: 12 },
  };
  await put(store, `${CATALOG}/${SLOT}.json`, JSON.stringify({ ...manifest, ...written }));
  const restore = { from: { url: `${url}/${CATALOG}`, backup: "latest" }, secrets: {}, replaceData: false };
  expect(await reasons({ restore, server: { ...SERVER, version: "7.0" } })).toEqual([
    expect.stringMatching(
      /^restoreFrom: .*7\.0\.\d+ does not load what Redis 8\.0\.1 wrote.*Redis 8\.0\.1 and newer/,
    ),
  ]);
});

it("what can't be restored at all is refused under the input's name", async () => {
  const platform = localPlatform("/nonexistent/home");
  const from = { url: `${stored.url}/${CATALOG}`, backup: "2025" };
  const restore = { from, secrets: {}, replaceData: false };
  expect((await seen({ platform }, "cache", { restore })).refusals).toEqual([
    {
      property: "restoreFrom",
      code: "no-such-backup",
      cause: expect.stringMatching(/cannot find backup 2025 in .*: there is no such backup/),
      hint: expect.stringContaining(SLOT),
    },
  ]);
});

it("what doesn't answer in time is said, and is no refusal", async () => {
  const platform = localPlatform("/nonexistent/home");
  expect(await previewRestore(platform, question("cache"), 0)).toEqual({
    refusals: [],
    warnings: ["its backup could not be looked up within 0 s: the update looks again"],
    plans: [],
  });
});

it("an add-on's keys are replaced only where that is asked for, and the preview counts them", async () => {
  await using home = await makeTestHome();
  const { record } = await make(home, "cache", SERVER);
  const empty = await seen(home, "cache");
  expect(empty).toMatchObject({ refusals: [], warnings: [] });
  expect(empty.plans).toEqual([expect.stringMatching(/; its users can't write for about 0\.5 s$/)]);

  await run(record, "MSET", "a", "1", "b", "2", "c", "3");
  expect(await seen(home, "cache")).toEqual({
    refusals: [
      {
        property: "replaceData",
        code: "holds-data",
        cause: expect.stringMatching(/^cache holds 3 keys \([\d.]+ [KM]iB\), which backup .* would replace$/),
        hint: expect.stringContaining("`replaceData: true`"),
      },
    ],
    warnings: [],
    plans: [],
  });
  const { refusals, warnings } = await seen(home, "cache", {}, true);
  expect(refusals).toEqual([]);
  expect(warnings).toEqual([
    expect.stringMatching(
      /^3 keys \([\d.]+ [KM]iB\) of cache will be replaced by backup .*; a verified backup of them is taken first; its users can't write for about 2\.\d s$/,
    ),
  ]);

  await make(home, "copy", SERVER);
  await follows(home, { name: "copy", leader: "cache" });
  expect((await seen(home, "copy")).refusals).toEqual([
    {
      property: "restoreFrom",
      code: "follows",
      cause: "it follows cache, whose data it has",
      hint: expect.stringMatching(/^Restore cache/),
    },
  ]);
  expect((await seen(home, "cache", {}, true)).plans).toEqual(["its followers take these data too: copy"]);

  process.kill(await home.agentPid(), "SIGKILL");
  process.kill(await home.serverPid("cache"), "SIGKILL");
  const down = await seen(home, "cache");
  expect(down).toMatchObject({ refusals: [], plans: ["its followers take these data too: copy"] });
  expect(down.warnings).toEqual([
    expect.stringMatching(/doesn't answer.*refused without `replaceData: true`/),
  ]);
});
