import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { readCatalog } from "../../provider/backup/catalog";
import { verifyBackup } from "../../provider/backup/verify/verify-backup";
import { task } from "../contract/backup-support";
import { atHand, processesWith } from "../contract/verify-support";
import { backupJob, backupOf, CATALOG, type Jobs, PASSWORD } from "./faults";
import { filesBelow, namesIn, type Place } from "./faults-places";
import { type RedisServer, until } from "./redis-server";

const never = new AbortController().signal;

/** What was proved once needs no second proof while nobody harms what is stored. */
const proved = new WeakMap<Place, Set<string>>();

/** The slots of the backups in a place, each of which is proved to open. */
export async function wholeBackups(place: Place): Promise<string[]> {
  const { store, scratch } = place;
  const { backups } = await readCatalog(store, CATALOG, never);
  const known = proved.get(place) ?? new Set();
  proved.set(place, known);
  for (const { name } of backups.filter((backup) => !known.has(backup.name))) {
    const request = { store, catalogKey: CATALOG, slot: name, scratchFolder: scratch, servers: [atHand()] };
    const verification = await verifyBackup(request, task());
    expect(verification).toMatchObject({ slot: name, outcome: "verified" });
    known.add(name);
  }
  return backups.map(({ name }) => name);
}

/** Nothing lies in a place but backups: of each the manifest, the archive and what was found of it. */
export async function expectOnlyBackups(place: Place): Promise<void> {
  const { backups, orphans } = await readCatalog(place.store, CATALOG, never);
  expect(orphans).toEqual([]);
  const strange = (await place.everything()).filter(
    (name) => !backups.some((backup) => name.includes(`${CATALOG}/${backup.name}`)),
  );
  expect(strange).toEqual([]);
  expect(backups.map(({ archives }) => archives.length)).toEqual(backups.map(() => 1));
}

/** It takes writes, serves nobody as a replica's leader any more, and has not been told that a snapshot failed. */
export async function expectFineLeader(server: RedisServer): Promise<void> {
  await until("the leader to be alone again", async () =>
    /rdb_bgsave_in_progress:0[^]*connected_slaves:0/.test(await server.client.info()),
  );
  const info = await server.client.info();
  for (const line of ["blocked_clients:0", "rdb_last_bgsave_status:ok", "aof_last_write_status:ok"])
    expect(info).toContain(line);
  expect(await server.client.set("write", "taken")).toBe("OK");
}

/** No process works below these folders, or was told of them. */
export async function expectNobodyIn(...folders: readonly string[]): Promise<void> {
  for (const folder of folders)
    await until(`nobody to work in ${folder}`, async () => (await processesWith(folder)).length === 0);
}

/**
 * Whatever was struck there: no process is left, what is listed opens, the next job succeeds and removes all else that
 * was left two days before.
 */
export async function expectRecovery(
  jobs: Jobs,
  leader: RedisServer,
  place: Place,
  secrets: readonly string[] = [],
): Promise<void> {
  await expectNobodyIn(place.scratch);
  await expectFineLeader(leader);
  const before = await wholeBackups(place);
  await place.age();
  const next = backupOf(await jobs.run(backupJob(leader, place)));
  expect(next).toMatchObject({ verification: { outcome: "verified" }, warnings: [], pruned: [] });
  expect(next.pruneFailure).toBeUndefined();
  await expectOnlyBackups(place);
  expect(await wholeBackups(place)).toEqual([...before, next.slot]);
  expect(await namesIn(place.scratch)).toEqual([]);
  await expectNoSecrets([PASSWORD, ...secrets], jobs.said(), place.scratch);
}

/** None of these is in what was said, nor in any file below a folder. */
export async function expectNoSecrets(
  secrets: readonly string[],
  said: string,
  folder?: string,
): Promise<void> {
  const files = folder === undefined ? [] : (await filesBelow(folder)).map((name) => join(folder, name));
  for (const secret of secrets) {
    expect(said.includes(secret)).toBe(false);
    for (const file of files)
      expect({ file, found: (await readFile(file)).includes(secret) }).toEqual({ file, found: false });
  }
}
