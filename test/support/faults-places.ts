import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readlink, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "../../provider/stores/contract";
import { openStore } from "../../provider/stores/open";
import type { S3Server } from "./s3-servers";

/** A folder or a bucket for backups, with a scratch folder of its own beside it. */
export interface Place extends AsyncDisposable {
  readonly url: string;
  readonly store: Store;
  readonly scratch: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Every name that lies there, hidden ones included, and uploads that are not complete. */
  everything(): Promise<string[]>;
  /** As if all that lies there and in the scratch folder had been written two days ago. */
  age(): Promise<void>;
}

export async function folderPlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "faults-"));
  const root = join(folder, "store");
  const url = `file://${root}`;
  return {
    url,
    store: await openStore(url),
    scratch: join(folder, "scratch"),
    everything: () => filesBelow(root),
    age: () => ageBelow(folder),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A part of a bucket of versitygw, whose objects are files; requests go through `endpoint`. */
export async function bucketPlace(server: S3Server, endpoint = server.endpoint): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "faults-"));
  const prefix = `p-${randomBytes(4).toString("hex")}`;
  const { accessKeyId, secretAccessKey, bucket, region } = server;
  const credentials = { accessKeyId, secretAccessKey };
  const urlAt = (at: string) => `s3://${bucket}/${prefix}?endpoint=${at}&region=${region}`;
  const root = join(await readlink(`/proc/${server.pid}/cwd`), bucket);
  return {
    url: urlAt(endpoint),
    store: await openStore(urlAt(server.endpoint), credentials),
    scratch: join(folder, "scratch"),
    credentials,
    everything: async () =>
      (await filesBelow(root)).filter((name) => name.startsWith(`${prefix}/`) || name.startsWith(".sgwtmp/")),
    age: async () => void (await Promise.all([ageBelow(root), ageBelow(folder)])),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** What lies in a folder, which need not be there. */
export function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/** The files below a folder. */
export async function filesBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

const TWO_DAYS_MS = 2 * 24 * 60 * 60_000;

async function ageBelow(root: string): Promise<void> {
  const then = new Date(Date.now() - TWO_DAYS_MS);
  for (const name of await readdir(root, { recursive: true }).catch(() => []))
    await utimes(join(root, name), then, then);
}
