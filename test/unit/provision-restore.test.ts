import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Failure } from "../../provider/core/errors";
import type { AddonRecord } from "../../provider/core/facets";
import type { Restored, Restoring } from "../../provider/core/restore";
import { provision } from "../../provider/operations/provision";
import type { Platform } from "../../provider/platforms/contract";
import { systemClock } from "../../provider/system/clock";
import { carries, SMALL } from "../support/data-home";

let folder: string;
let url: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "provision-"));
  const path = join(folder, "old.tar.gz");
  await writeFile(path, "not looked into");
  url = pathToFileURL(path).href;
});
afterAll(() => rm(folder, { recursive: true }));

const SERVER = { wish: { ...SMALL, port: 7001, version: "7.0.15" } };
const born = { name: "cache", server: SERVER, credentials: {} } as unknown as AddonRecord;
const from = () => ({ url, backup: "latest" });
const restoring = (): Restoring => ({
  from: from(),
  backup: "b",
  archive: "a",
  since: "2026-01-01T00:00:00Z",
});
const restored = (): Restored => ({ from: from(), backup: "b", archive: "a", at: "2026-01-01T00:00:00Z" });

/** What is asked of the platform, in turn, and what it answers. */
let asked: string[];
let record: AddonRecord | undefined;
let applying: (() => AddonRecord)[];
let restore: () => AddonRecord;
beforeEach(() => {
  asked = [];
  record = undefined;
  applying = [];
  restore = () => ({ ...born, restored: restored() });
});

const platform = {
  home: () => Promise.resolve(undefined),
  load: () => Promise.resolve(record),
  placement: () => Promise.resolve(undefined),
  apply: async () => {
    asked.push("apply");
    record = (applying.shift() ?? (() => record ?? born))();
    return { outcome: "applied", record };
  },
  restore: async ({ onData }: { onData: string }) => {
    asked.push(`restore, ${onData}`);
    record = restore();
    return { outcome: "restored", record, downtimeMs: 800, warnings: [] };
  },
} as unknown as Platform;

function provisioned(origin: { url: string; backup: string } = from(), replaceData = false) {
  const task = {
    signal: new AbortController().signal,
    clock: systemClock,
    progress: ({ message }: { message: string }) => {
      if (message === "looking the backup up") asked.push("look");
    },
  };
  const wish = { from: origin, secrets: {}, replaceData };
  return provision(
    platform,
    { name: "cache", claim: carries("t"), wish: SMALL, given: [], restore: wish },
    task,
  );
}

const failure = (code: string) =>
  new Failure({ code, operation: "start", subject: "cache", cause: "it doesn't start", hint: "Look" });

function failing(code: string): () => never {
  return () => {
    throw failure(code);
  };
}

test("a backup that isn't there is found out before an add-on is made", async () => {
  await expect(provisioned({ url: `${url}.tar.gz`, backup: "latest" })).rejects.toMatchObject({
    code: "no-such-backup",
  });
  expect(asked).toEqual(["look"]);
});

test("an add-on is made first, then restored; how long nobody could write is nobody's concern yet", async () => {
  const { record: made, restored: told } = await provisioned();
  expect(asked).toEqual(["look", "apply", "restore, refuse"]);
  expect(made.restored).toEqual(restored());
  expect(told).not.toHaveProperty("downtimeMs");
});

test("a create whose restore fails says that the add-on is there, and empty", async () => {
  restore = failing("server-failed");
  await expect(provisioned()).rejects.toThrow(
    "it doesn't start. Look. The add-on itself is made, and empty: the next `pulumi up` tries to restore again",
  );
});

test("one that is there is changed first, as that may make the backup fit", async () => {
  record = born;
  const { restored: told } = await provisioned(from(), true);
  expect(asked).toEqual(["look", "apply", "restore, replace"]);
  expect(told?.downtimeMs).toBe(800);
});

test("what is recorded as restored is neither looked up nor restored again", async () => {
  record = { ...born, restored: restored() };
  expect((await provisioned()).restored).toBeUndefined();
  expect(asked).toEqual(["apply"]);
});

test("a restore that was cut off is completed by placing the server, whatever became of the backup", async () => {
  record = { ...born, restoring: restoring() };
  applying = [() => ({ ...born, restored: restored() })];
  expect((await provisioned()).record.restored).toEqual(restored());
  expect(asked).toEqual(["apply"]);

  asked = [];
  record = { ...born, restoring: restoring() };
  // It was undone.
  applying = [() => born];
  await provisioned();
  expect(asked).toEqual(["apply", "look", "restore, refuse"]);
});

test.each(["data-gone", "server-failed"])(
  "one whose server can't run on its data (%s) is restored where these may be replaced, and then made as wished",
  async (code) => {
    record = born;
    applying = [failing(code)];
    const { restored: told } = await provisioned(from(), true);
    expect(asked).toEqual(["look", "apply", "restore, replace", "apply"]);
    expect(told).toBeDefined();

    asked = [];
    record = born;
    applying = [failing(code)];
    await expect(provisioned(from(), false)).rejects.toMatchObject({ code });
    expect(asked).toEqual(["look", "apply"]);
  },
);
