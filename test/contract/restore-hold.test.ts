import { readdirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { noteHold } from "../../provider/agent/restore/held-backup";
import { holdBackup } from "../../provider/backup/hold";
import { prune } from "../../provider/backup/prune";
import { startAgent } from "../../provider/operations/agent";
import { layoutOf } from "../../provider/platforms/local/home";
import { openStore } from "../../provider/stores/open";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";
import { beginByHand, digestOf, fill, recordOf, restored, restores, take } from "../support/restore";
import { make, run } from "./agent-support";
import { task } from "./backup-support";

/** What holds a backup of that catalog now. */
function holdsIn(home: TestHome, catalogKey: string): string[] {
  const folder = join(layoutOf(home.path).backups, catalogKey);
  return readdirSync(folder).filter((name) => name.includes(".restoring-"));
}

test("a backup is held until its data are in place, and is free when the restore has been told of", async () => {
  await using home = await makeTestHome();
  const { record } = await make(home, "cache");
  await run(record, "SET", "kept", "1");
  const taken = await take(home, "cache");
  const held = new Map<string, readonly string[]>();
  const watched = {
    ...home.task,
    progress: ({ message }: { message: string }) =>
      held.set(message.split(" ", 2).join(" "), holdsIn(home, record.catalogKey)),
  };
  await restored(home, "cache", taken, { onData: "replace", task: watched });
  for (const step of ["backing up", "putting the", "counting what"]) {
    expect(held.get(step), step).toHaveLength(1);
    expect(held.get(step)?.[0]).toContain(taken.slot);
  }
  expect(holdsIn(home, record.catalogKey)).toEqual([]);
});

test("one that is refused after the backup was fetched lets go of it", async () => {
  await using home = await makeTestHome();
  const { record: source } = await make(home, "source");
  await run(source, "SET", "key", "1");
  const taken = await take(home, "source");
  const { record } = await make(home, "cache");
  const writing = { ...home.task, progress: () => void run(record, "SET", "mine", "1").catch(() => "") };
  await expect(restores(home, "cache", taken, { task: writing })).rejects.toMatchObject({
    code: "holds-data",
  });
  expect(holdsIn(home, source.catalogKey)).toEqual([]);
  expect(
    (await readdir(layoutOf(home.path).addon("cache").root)).filter((name) => name.startsWith("held")),
  ).toEqual([]);
});

test("of a restore that was cut off the next agent holds it until its end, against every pruning, and no longer", async () => {
  await using home = await makeTestHome();
  const { record: source } = await make(home, "source");
  await fill(source, "new");
  const taken = await take(home, "source");
  const newer = await take(home, "source");
  const { record } = await make(home, "cache");
  await fill(record, "old");
  await beginByHand(home, "cache", taken);
  const { catalogKey, createdAt } = source;
  const store = await openStore(`file://${layoutOf(home.path).backups}`);
  {
    await using hold = await holdBackup(store, catalogKey, taken.slot, task());
    const key = await hold.keep();
    using _ = await noteHold(layoutOf(home.path).addon("cache"), taken.source, key ?? "");
  }
  const pruned = () => prune(store, { catalogKey, createdAt }, { keepLast: 1 }, { every: "1h" }, task());
  expect(await pruned()).toEqual({ removed: [], failure: undefined });

  await startAgent(home.path, home.task);
  await eventually("it is let go of", async () => holdsIn(home, catalogKey).length === 0);
  expect(await recordOf(home, "cache")).toMatchObject({ restored: { backup: taken.slot } });
  expect(await digestOf(record)).toBe(await digestOf(source));
  expect(await pruned()).toEqual({ removed: [taken.slot], failure: undefined });
  expect(newer.slot > taken.slot).toBe(true);
});
