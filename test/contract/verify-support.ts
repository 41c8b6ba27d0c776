import { createHash, randomBytes } from "node:crypto";
import { chmod, mkdir, readdir, readFile, readlink, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { tarBytes } from "../../provider/backup/archive/tar";
import { readManifest } from "../../provider/backup/catalog";
import { type BackupRequest, takeBackup } from "../../provider/backup/take-backup";
import { type VerifyRequest, verifyBackup } from "../../provider/backup/verify/verify-backup";
import { type Manifest, manifestKey } from "../../provider/core/manifest";
import { parseVersionOutput } from "../../provider/core/version";
import type { Store } from "../../provider/stores/contract";
import { findRedisServer, type RedisServer, startRedisServer } from "../support/redis-server";
import { execFileSync } from "node:child_process";
import { task, temporaryFolder, temporaryStore, unpacked } from "./backup-support";

export const CATALOG = "cache-12345678";
export const SLOT = "20260501T030000000Z";
const never = new AbortController().signal;

/** A server at hand, as a job is told of it. */
export function atHand(path: string = findRedisServer()) {
  const version = parseVersionOutput(execFileSync(path, ["--version"], { encoding: "utf8" }));
  if (version === undefined) throw new Error(`${path} does not tell its version`);
  return { path, version: version.spelling };
}

/** The beginning of a value that no compression changes, to be found in a snapshot. */
export const VALUE = "here begins a value";

/** A server with keys in two databases, some that expire, one that has expired, and a library of functions. */
async function richServer(executable = findRedisServer()): Promise<RedisServer> {
  const isOld = atHand(executable).version.startsWith("6.");
  const debug = isOld ? [] : ["--enable-debug-command", "yes"];
  await using cleanUp = new AsyncDisposableStack();
  const args = ["--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0", ...debug];
  const server = cleanUp.use(await startRedisServer({ executable, args }));
  const { client } = server;
  await client.call("DEBUG", "POPULATE", 2_000, "key", 100);
  await client.set("binary", Buffer.concat([Buffer.from(VALUE), randomBytes(200_000)]));
  await client.set("later", "x", "EX", 10_000);
  const third = server.connect({ db: 3 });
  // Kept by the server until somebody looks: it is in the snapshot, and its time is over when that is loaded.
  await client.call("DEBUG", "SET-ACTIVE-EXPIRE", 0);
  await third.set("expired", "x", "PX", 1);
  await third.set("stays", "x");
  const library = "#!lua name=lib\nredis.register_function('f', function() return 1 end)";
  if (!isOld) await client.call("FUNCTION", "LOAD", library);
  cleanUp.move();
  return server;
}

/** What such a server holds. */
export const RICH = {
  keys: 2_004,
  expires: 2,
  functions: 1,
  databases: { 0: { keys: 2_002, expires: 1 }, 3: { keys: 2, expires: 1 } },
};

/** A store with a backup of such a server, and a scratch folder; disposing removes both. */
export async function backedUp(more: Partial<BackupRequest> = {}, executable?: string) {
  await using server = await richServer(executable);
  return await inStore(async (store) => {
    const { manifest } = await takeBackup(
      {
        addon: { name: "cache", catalogKey: CATALOG },
        source: { host: "127.0.0.1", port: server.port },
        reason: "demand",
        slot: Date.parse("2026-05-01T03:00:00Z"),
        attempt: "aaaa",
        store,
        ...more,
      },
      task(),
    );
    return manifest;
  });
}

/** The same backup in a store of its own. */
export function copyOf({ store, manifest }: Pick<BackedUp, "store" | "manifest">): Promise<BackedUp> {
  return inStore(async (own) => {
    for (const name of [manifest.archive.name, `${SLOT}.json`])
      await put(own, `${CATALOG}/${name}`, await buffer(await store.get(`${CATALOG}/${name}`, never)));
    return manifest;
  });
}

async function inStore(fill: (store: Store) => Promise<Manifest>) {
  await using cleanUp = new AsyncDisposableStack();
  const { store, url } = cleanUp.use(await temporaryStore());
  const scratch = cleanUp.use(await temporaryFolder());
  const manifest = await fill(store);
  const owned = cleanUp.move();
  return {
    store,
    url,
    manifest,
    scratch: scratch.path,
    archivePath: fileURLToPath(`${url}/${CATALOG}/${manifest.archive.name}`),
    verify: (more: Partial<VerifyRequest> = {}, given = task()) =>
      verifyBackup(
        { store, catalogKey: CATALOG, slot: SLOT, scratchFolder: scratch.path, servers: [atHand()], ...more },
        given,
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
export type BackedUp = Awaited<ReturnType<typeof inStore>>;

export async function put(store: Store, key: string, content: Buffer | string): Promise<void> {
  const source = Readable.from([Buffer.from(content)], { objectMode: false });
  await store.put(key, source, { signal: never });
}

/** The endings of what lies in the catalog for the slot, the archive aside. */
export async function marks(store: Store): Promise<string[]> {
  const listed = await store.list(`${CATALOG}/${SLOT}.`, never);
  return listed.map(({ key }) => key.slice(`${CATALOG}/${SLOT}`.length));
}

/**
 * Puts another archive in the place of a backup's, with a manifest that fits it in every byte: as if it had been made
 * so. `change` may replace the content of its files.
 */
export async function forge(
  { store, manifest }: Pick<BackedUp, "store" | "manifest">,
  change: (files: Map<string, Buffer>) => void,
  more: Partial<Manifest> = {},
): Promise<void> {
  await using folder = await unpacked(store, `${CATALOG}/${manifest.archive.name}`);
  const files = new Map<string, Buffer>();
  for (const { path } of manifest.files) files.set(path, await readFile(join(folder.path, path)));
  change(files);
  const told: { path: string; sizeBytes: number; sha256: string }[] = [];
  const entries = [...files].flatMap(([path, content]) => {
    const file = { kind: "file", path, sizeBytes: content.length, content: [content] } as const;
    if (path !== "dump.rdb") return [file];
    const base = "appendonlydir/appendonly.aof.1.base.rdb";
    return [
      file,
      { kind: "folder", path: "appendonlydir/" } as const,
      { kind: "link", path: base, target: "dump.rdb" } as const,
    ];
  });
  const tar = Readable.from(
    tarBytes(entries, 0, (file) => told.push(file)),
    { objectMode: false },
  );
  const archive = gzipSync(await buffer(tar));
  await put(store, `${CATALOG}/${manifest.archive.name}`, archive);
  const forged: Manifest = {
    ...manifest,
    ...more,
    archive: {
      ...manifest.archive,
      sizeBytes: archive.length,
      sha256: createHash("sha256").update(archive).digest("hex"),
    },
    rdb: { ...manifest.rdb, ...more.rdb, sizeBytes: files.get("dump.rdb")?.length ?? 0 },
    files: told,
  };
  await put(store, manifestKey(CATALOG, SLOT), JSON.stringify(forged));
  await readManifest(store, CATALOG, SLOT, never);
}

/** A program in a folder of its own that is a shell script. */
export async function script(lines: string) {
  const folder = await temporaryFolder();
  const path = join(folder.path, "redis-server");
  await writeFile(path, `#!/bin/sh\n${lines}\n`);
  await chmod(path, 0o755);
  return { path, [Symbol.asyncDispose]: folder[Symbol.asyncDispose] };
}

/** The processes of this machine, but for this one, that have this in their arguments or work in a folder below it. */
export async function processesWith(text: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const commandLine = await readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "");
    const folder = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    if (commandLine.includes(text) || folder.includes(text)) found.push(pid);
  }
  return found;
}

/** A folder whose path is too long for a socket in it. */
export async function deepFolder(parent: string): Promise<string> {
  const path = join(parent, "d".repeat(60), "e".repeat(60));
  await mkdir(path, { recursive: true });
  return path;
}

export const isEmpty = async (folder: string) =>
  (await stat(folder)).isDirectory() && (await readdir(folder)).length === 0;
