import { execFile } from "node:child_process";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import { makeTestHome, type TestHome } from "../support/data-home";
import { startRedisServer } from "../support/redis-server";
import { make, run } from "./agent-support";
import { temporaryFolder } from "./backup-support";

const ENTRY = join(import.meta.dirname, "../../dist/provider/cli/main.js");
const execute = promisify(execFile);

let home: TestHome;
let cache: AddonRecord;
/** Of the backup that every test restores: `kept` was `first` then. */
let taken: { readonly slot: string; readonly archive: string };

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function backup(...args: string[]): Promise<Result> {
  const env = { ...process.env, REDIS_ADDON_HOME: home.path };
  try {
    return { code: 0, ...(await execute(process.execPath, [ENTRY, "backup", ...args], { env })) };
  } catch (error) {
    const { code, stdout, stderr } = error as Result;
    return { code, stdout, stderr };
  }
}

beforeAll(async () => {
  home = await makeTestHome();
  cache = (await make(home, "cache")).record;
  await run(cache, "SET", "kept", "first");
  taken = JSON.parse((await backup("run", "cache", "--json")).stdout) as typeof taken;
  await run(cache, "SET", "kept", "second");
});
afterAll(() => home[Symbol.asyncDispose]());

/** A copy of the archive, of which nothing tells any more what it should be. */
async function loneArchive(folder: string): Promise<string> {
  const path = join(folder, "of-somebody.tar.gz");
  await copyFile(fileURLToPath(taken.archive), path);
  return pathToFileURL(path).href;
}

describe("redis-addon backup restore --into an add-on", () => {
  it("replaces what it holds only when it was told to, and agreed to, and says where that is now", async () => {
    const untold = await backup("restore", "cache", "--into", "cache");
    expect(untold).toMatchObject({ code: 1, stdout: "" });
    expect(untold.stderr).toContain("cache holds 1 key");
    expect(untold.stderr).toContain("add --replace-data");
    const unagreed = await backup("restore", "cache", taken.slot, "--into", "cache", "--replace-data");
    expect(unagreed).toMatchObject({ code: 1, stdout: "" });
    expect(unagreed.stderr).toContain(`will be replaced by backup ${taken.slot}`);
    expect(unagreed.stderr).toContain("its newest verified backup is of ");
    expect(unagreed.stderr).toContain("To do it, add --yes");
    expect(await run(cache, "GET", "kept")).toBe("second");

    const args = ["restore", "cache", taken.slot, "--into", "cache", "--replace-data", "--yes", "--json"];
    const restored = await backup(...args);
    expect(restored).toMatchObject({ code: 0 });
    const told = JSON.parse(restored.stdout) as { safetyBackup: { slot: string } };
    expect(told).toMatchObject({ addon: "cache", restored: { backup: taken.slot, keys: 1 } });
    expect(await run(cache, "GET", "kept")).toBe("first");
    const back = await backup(
      "restore",
      "cache",
      told.safetyBackup.slot,
      "--into",
      "cache",
      "--replace-data",
      "--yes",
    );
    expect(back).toMatchObject({ code: 0 });
    expect(back.stdout).toMatch(/^cache: restored from backup \d{8}T\d{9}Z \(1 key\) in /);
    expect(await run(cache, "GET", "kept")).toBe("second");
  });

  it("fills an empty one without a question, also from an archive that lies without its manifest", async () => {
    await using folder = await temporaryFolder();
    const { record } = await make(home, "empty");
    const archive = await loneArchive(folder.path);
    const restored = await backup("restore", "--archive", archive, "--into", "empty");
    expect(restored).toMatchObject({ code: 0 });
    expect(await run(record, "GET", "kept")).toBe("first");
  });

  it("says by its exit code that there is no such add-on, and no such backup", async () => {
    expect(await backup("restore", "cache", "20200101", "--into", "cache")).toMatchObject({ code: 3 });
    expect(await backup("restore", "cache", "--into", "nobody")).toMatchObject({ code: 3, stdout: "" });
  });
});

describe("an archive that lies without its manifest", () => {
  it("is restored into a folder", async () => {
    await using folder = await temporaryFolder();
    const archive = await loneArchive(folder.path);
    const copy = join(folder.path, "copy");
    const restored = await backup("restore", "--archive", archive, "--folder", copy);
    expect(restored).toMatchObject({ code: 0 });
    await using server = await startRedisServer({ dir: copy });
    expect(await server.client.get("kept")).toBe("first");
  });

  it("is restored into any Redis, once somebody said where the backup of what is replaced goes", async () => {
    await using folder = await temporaryFolder();
    await using target = await startRedisServer();
    const archive = await loneArchive(folder.path);
    const args = ["restore", "--archive", archive, "--to", `redis://127.0.0.1:${target.port}`];
    expect(await backup(...args)).toMatchObject({ code: 0 });
    expect(await target.client.get("kept")).toBe("first");

    await target.client.set("kept", "newer");
    const replacing = [...args, "--replace-data", "--yes"];
    const refused = await backup(...replacing);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain("--safety-backup <URL>, or --no-safety-backup");
    const store = pathToFileURL(join(folder.path, "store")).href;
    expect(await backup(...replacing, "--safety-backup", store, "--safety-name", "before")).toMatchObject({
      code: 0,
    });
    expect(JSON.parse((await backup("list", "before", "--store", store, "--json")).stdout)).toHaveLength(1);
    expect(await target.client.get("kept")).toBe("first");
  });
});
