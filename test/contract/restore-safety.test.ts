import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { putBack, putInPlace } from "../../provider/agent/restore/exchange";
import type { AddonRecord, BackupsWish } from "../../provider/core/facets";
import { redisUrl } from "../../provider/core/uri";
import { layoutOf } from "../../provider/platforms/local/home";
import { creates, makeTestHome, type TestHome } from "../support/data-home";
import { startWriters } from "../support/persistent-writers";
import { freePort, until } from "../support/redis-server";
import { expectNothingLeft, recordOf, restored, restores, take } from "../support/restore";
import { make, run } from "./agent-support";

const DAILY = { daily: "03:00" } as const;

function keeps(home: TestHome, name: string, wish: Omit<BackupsWish, "schedule">): Promise<unknown> {
  const change = { facet: "backups", name, claim: creates("b1"), given: [] } as const;
  return home.platform.apply({ ...change, wish: { schedule: DAILY, ...wish } }, home.task);
}

function urlOf({ server, credentials }: AddonRecord): string {
  return redisUrl({ host: "127.0.0.1", port: server.wish.port, password: credentials.password });
}

function raise(): never {
  throw new Error("nothing is there");
}

async function slotsOf(home: TestHome, name: string): Promise<string[]> {
  const { catalogKey } = await recordOf(home, name);
  const files = await readdir(join(layoutOf(home.path).backups, catalogKey));
  return files.filter((file) => file.endsWith("Z.json")).map((file) => file.slice(0, -".json".length));
}

test("the backup of what is replaced costs no older one: a restore that is undone must find its own again", async () => {
  await using home = await makeTestHome();
  const { record } = await make(home, "cache");
  await keeps(home, "cache", { retention: { keepLast: 1 } });
  await run(record, "SET", "kept", "1");
  const taken = await take(home, "cache");
  await run(record, "FLUSHALL");
  await run(record, "SET", "wrong", "1");

  const { safetyBackup } = await restored(home, "cache", taken, { onData: "replace" });
  expect(await run(record, "GET", "kept")).toBe("1");
  expect(await slotsOf(home, "cache")).toEqual([taken.slot, safetyBackup?.slot]);

  // Any other backup is followed by what the retention says.
  const { slot } = await take(home, "cache");
  expect(await slotsOf(home, "cache")).toEqual([slot]);
});

test("where the backup of what is replaced can't be kept, no write is refused, neither for a restore nor for a follow", async () => {
  await using home = await makeTestHome();
  const dead = `s3://backups/here?endpoint=http://127.0.0.1:${await freePort()}`;
  const credentials = { accessKeyId: "nobody", secretAccessKey: "nothing" };
  await make(home, "lead");
  const adds = await Promise.all(["cache", "copy"].map(async (name) => (await make(home, name)).record));
  const [cache = raise(), copy = raise()] = adds;
  const taken = await take(home, "cache");
  for (const { name } of adds)
    await keeps(home, name, { retention: { days: 7 }, destination: dead, credentials });
  await using ofCache = await startWriters(urlOf(cache), 2);
  await using ofCopy = await startWriters(urlOf(copy), 2);
  await until("writes", () => ofCache.acknowledged() > 100 && ofCopy.acknowledged() > 100);

  const wish = { kind: "addon", addon: "lead" } as const;
  const following = { facet: "replication", name: "copy", claim: creates("f1"), given: [], wish } as const;
  const attempts = [
    restores(home, "cache", taken, { onData: "replace" }),
    home.platform.apply({ ...following, onData: "replace" }, home.task),
  ];
  for (const [i, result] of (await Promise.allSettled(attempts)).entries())
    expect(result).toMatchObject({
      reason: {
        subject: adds[i]?.name,
        cause: expect.stringMatching(
          /could not be backed up before it is replaced: cannot .* s3:\/\/backups\/here/,
        ),
        hint: expect.stringContaining("Nothing was replaced, and its users went on writing"),
      },
    });
  for (const writers of [ofCache, ofCopy]) expect((await writers.stop()).refusals).toEqual([]);
  expect((await recordOf(home, "copy")).replication).toBeUndefined();
  await expectNothingLeft(home, "cache");
});

test("a data folder that can't be put aside stays where it is, and the restore is undone", async () => {
  await using home = await makeTestHome();
  const real = layoutOf(home.path);
  // As one that is a mount point: no rename of it works.
  const files = { ...real.addon("cache"), replaced: join(home.path, "nowhere", "replaced") };
  const exchange = {
    layout: { ...real, addon: () => files },
    name: "cache",
    endServer: () => Promise.resolve(),
  };
  for (const path of [files.data, files.staged, real.trash]) await mkdir(path, { recursive: true });
  await writeFile(join(files.data, "kept"), "1");

  await expect(putInPlace(exchange)).rejects.toMatchObject({
    code: "not-restored",
    cause: expect.stringContaining("its data folder can't be put aside: ENOENT"),
  });
  await putBack(exchange);
  expect(await readFile(join(files.data, "kept"), "utf8")).toBe("1");
  await expect(readdir(files.staged)).rejects.toMatchObject({ code: "ENOENT" });
});
