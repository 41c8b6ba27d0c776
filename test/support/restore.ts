import { execFile } from "node:child_process";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { saveRecord } from "../../provider/agent/records/record-file";
import { writeRestoreNote } from "../../provider/agent/restore/restore-note";
import { stopAgent } from "../../provider/operations/agent";
import { ADMIN_USER, REPLICA_USER } from "../../provider/core/access";
import type { AddonRecord } from "../../provider/core/facets";
import type { Restored, RestoreOrigin, Restoring } from "../../provider/core/restore";
import type { Task } from "../../provider/core/task";
import type { Claim, RestoreRequest, RestoreResult } from "../../provider/platforms/contract";
import { layoutOf } from "../../provider/platforms/local/home";
import { readRecord } from "../../provider/platforms/local/records";
import { make } from "../contract/agent-support";
import { carries, eventually, type TestHome } from "./data-home";
import { startRedisServer, until } from "./redis-server";

/** A backup that was taken, as a restore asks for it. */
export interface Taken {
  readonly from: RestoreOrigin;
  readonly source: RestoreRequest["source"];
  readonly slot: string;
}

/** Takes a backup of an add-on now. */
export async function take(home: TestHome, name: string): Promise<Taken> {
  const { slot } = await home.platform.backUp(name, home.task);
  const { catalogKey } = await recordOf(home, name);
  const destination = pathToFileURL(layoutOf(home.path).backups).href;
  return {
    slot,
    from: { addon: name, backup: slot },
    source: { kind: "backup", destination, catalogKey, slot },
  };
}

/** Takes one of data that no server of a smaller plan loads: of an add-on `large`, with a key in database 7. */
export async function takeOfDatabase7(home: TestHome): Promise<Taken> {
  const { record } = await make(home, "large", { plan: "l_mono" });
  await withAdmin(record, async (client) => {
    await client.select(7);
    await client.set("in", "database 7");
  });
  return take(home, "large");
}

/** Another backup of the same catalog. */
export function takenAs({ source }: Taken, slot: string): Taken {
  if (source.kind !== "backup") throw new Error("it is no backup of a catalog");
  return { slot, from: { addon: "another", backup: slot }, source: { ...source, slot } };
}

interface Restores {
  readonly task?: Task;
  readonly onData?: RestoreRequest["onData"];
  readonly claim?: Claim;
  readonly from?: RestoreOrigin;
}

/** What a program does that says where its data come from. */
export function restores(
  home: TestHome,
  name: string,
  taken: Taken,
  { onData = "refuse", claim = carries("t1"), from = taken.from, task = home.task }: Restores = {},
): Promise<RestoreResult> {
  return home.platform.restore({ name, claim, from, source: taken.source, onData }, task);
}

/** The same, where it must be done. */
export async function restored(
  ...given: Parameters<typeof restores>
): Promise<Extract<RestoreResult, { outcome: "restored" }> & { readonly restored: Restored }> {
  const result = await restores(...given);
  if (result.outcome !== "restored") throw new Error(`it answered ${result.outcome}`);
  const recorded = result.record.restored;
  if (recorded === undefined) throw new Error("nothing is recorded of it");
  return { ...result, restored: recorded };
}

export async function recordOf(home: TestHome, name: string): Promise<AddonRecord> {
  const record = await readRecord(layoutOf(home.path), name);
  if (record === undefined) throw new Error(`${name} is not recorded`);
  return record;
}

/** As a job leaves a backup's files and the agent stages them. */
export async function stageByHand(home: TestHome, name: string, { slot, source }: Taken): Promise<void> {
  const { staged } = layoutOf(home.path).addon(name);
  if (source.kind !== "backup") throw new Error("it is no backup of a catalog");
  const folder = join(fileURLToPath(source.destination), source.catalogKey);
  const archive = (await readdir(folder)).find((file) => file.startsWith(slot) && /tar/.test(file)) ?? "";
  await mkdir(staged);
  await promisify(execFile)("tar", ["-xzf", join(folder, archive), "-C", staged]);
  for (const file of await readdir(staged)) if (file !== "appendonlydir") await rm(join(staged, file));
}

/** A restore that begins now, recorded, of a backup of so many keys of which one expires; nothing runs. */
export async function beginByHand(
  home: TestHome,
  name: string,
  taken: Taken,
  keys = 312,
): Promise<Restoring> {
  await stopAgent(home.path, false, home.task);
  await stageByHand(home, name, taken);
  const since = new Date().toISOString();
  const restoring: Restoring = {
    ...{ from: taken.from, backup: taken.slot, archive: "file:///an/archive", since },
    ...{ counts: { keys, expires: 1 }, safetyBackup: "20260101T000000000Z" },
  };
  const layout = layoutOf(home.path);
  await writeRestoreNote(layout.addon(name), { since, from: taken.from, isReplacedKnown: true });
  await saveRecord(layout, { ...(await recordOf(home, name)), restoring });
  return restoring;
}

/** The server's administrator. */
export async function withAdmin<Result>(
  { server, credentials }: AddonRecord,
  work: (client: Redis) => Promise<Result>,
): Promise<Result> {
  const client = new Redis({
    ...{ port: server.wish.port, username: ADMIN_USER, password: credentials.adminPassword },
    lazyConnect: true,
  });
  try {
    await client.connect();
    return await work(client);
  } finally {
    client.disconnect();
  }
}

/** Something of each kind, in more than one way of keeping it, and in two databases. */
export async function fill(record: AddonRecord, seed: string): Promise<void> {
  await withAdmin(record, async (client) => {
    for (let i = 0; i < 300; i++) {
      await client.set(`${seed}:text:${i}`, `${seed}${i}`.repeat(1 + (i % 50)));
      await client.hset(`${seed}:hash`, `field:${i}`, i);
      await client.zadd(`${seed}:sorted`, i, `member:${i}`);
      await client.rpush(`${seed}:list`, i);
      await client.sadd(`${seed}:set:${i % 7}`, i);
    }
    await client.xadd(`${seed}:stream`, "*", "field", "value");
    await client.set(`${seed}:later`, "gone in a day", "EX", 86_400);
    await client.call(
      "FUNCTION",
      "LOAD",
      "REPLACE",
      `#!lua name=${seed}\nredis.register_function('${seed}', function() return 1 end)`,
    );
  });
}

/** What a server holds, told by a copy of it that it gives to a server of its own kind. */
export async function digestOf(record: AddonRecord, executable?: string): Promise<string> {
  await using copy = await startRedisServer({
    ...(executable === undefined ? {} : { executable }),
    args: [
      ...["--enable-debug-command", "yes", "--databases", "64"],
      ...["--masteruser", REPLICA_USER, "--masterauth", record.credentials.replicaPassword],
      ...["--replicaof", "127.0.0.1", String(record.server.wish.port)],
    ],
  });
  await until("the copy", async () => /master_link_status:up/.test(await copy.client.info("replication")));
  return String(await copy.client.call("DEBUG", "DIGEST"));
}

/** Waits until nothing is left of restores but what a kept folder holds. */
export async function expectNothingLeft(home: TestHome, name: string): Promise<void> {
  const layout = layoutOf(home.path);
  const files = layout.addon(name);
  await eventually("nothing is left of the restore", async () => {
    const own = await readdir(files.root);
    const elsewhere = [...(await readdir(layout.jobs)), ...(await readdir(layout.trash))];
    return elsewhere.length === 0 && !own.some((entry) => /^(restore|replaced.*)$/.test(entry));
  });
}
