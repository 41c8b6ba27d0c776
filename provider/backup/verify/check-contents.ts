import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../core/errors";
import { parseRdbHead, RDB_HEAD_BYTES } from "../archive/rdb-head";
import type { Described } from "./described";

type Contents =
  | { readonly kind: "as-told"; readonly databases: number; readonly usedMemoryBytes: number | undefined }
  | { readonly kind: "damaged"; readonly why: string }
  /** Of a later version, perhaps: a server must not be started by what this one doesn't know. */
  | { readonly kind: "unknown"; readonly why: string };

const CONFIGURATION: readonly RegExp[] = [
  /^dbfilename dump\.rdb$/,
  /^appendonly yes$/,
  /^appenddirname appendonlydir$/,
  /^appendfilename appendonly\.aof$/,
  /^databases \d{1,7}$/,
];

/**
 * Whether an extracted archive is what its manifest and its format say, as far as that can be told without a server.
 * It also keeps a server from being led astray: a redis.conf can load programs, an append-only file run commands, and
 * whoever can write to the store can write both.
 */
export async function checkContents(folder: string, manifest: Described): Promise<Contents> {
  const increment = manifest.files.find(({ path }) => path.endsWith(".incr.aof"));
  if (increment !== undefined && increment.sizeBytes > 0)
    return { kind: "damaged", why: "its append-only file holds more than its snapshot" };
  const lines = (await readFile(join(folder, "redis.conf"), "utf8"))
    .split("\n")
    .filter((line) => line !== "");
  const strange = lines.find((line) => !CONFIGURATION.some((known) => known.test(line)));
  if (strange !== undefined)
    return {
      kind: "unknown",
      why: `its redis.conf says what this version does not know: ${JSON.stringify(strange.slice(0, 80))}`,
    };
  const databases = lines.find((line) => line.startsWith("databases "))?.split(" ")[1];
  const head = parseRdbHead(await firstBytes(join(folder, "dump.rdb"), RDB_HEAD_BYTES));
  if (head === undefined) return { kind: "damaged", why: "its dump.rdb is no snapshot" };
  const told = (field: string) => head.fields.get(field);
  const { rdb, replication, usedMemoryBytes } = manifest;
  const differences: readonly (readonly [string, string | undefined, string | undefined])[] = [
    ["format", head.magic, rdb.magic],
    ["replication id", told("repl-id"), replication?.id],
    ["replication offset", told("repl-offset"), text(replication?.offset)],
    ["memory in use", told("used-mem"), text(usedMemoryBytes)],
  ];
  for (const [what, inside, outside] of differences)
    if (inside !== undefined && outside !== undefined && inside !== outside)
      return {
        kind: "damaged",
        why: `its snapshot gives the ${what} as ${inside}, its manifest as ${outside}`,
      };
  const used = usedMemoryBytes ?? Number(told("used-mem"));
  return {
    kind: "as-told",
    databases: databases === undefined ? 16 : Number(databases),
    usedMemoryBytes: Number.isFinite(used) ? used : undefined,
  };
}

function text(number: number | undefined): string | undefined {
  return number === undefined ? undefined : String(number);
}

async function firstBytes(path: string, bytes: number): Promise<Buffer> {
  await using file = await open(path, "r");
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
  return buffer.subarray(0, bytesRead);
}

/** A disk that gives back what was not written to it must not make the backup look damaged. */
export async function requireUnchanged(
  folder: string,
  manifest: Described,
  signal: AbortSignal,
): Promise<void> {
  const dump = manifest.files.find(({ path }) => path === "dump.rdb");
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(join(folder, "dump.rdb"), { signal }))
    hash.update(chunk as Buffer);
  if (hash.digest("hex") === dump?.sha256) return;
  throw new Failure({
    code: "scratch-disk-fails",
    operation: "verify",
    subject: `backup ${manifest.slot}`,
    cause: `the copy in ${folder} does not read back as it was written`,
    hint: "Check that disk, or choose another scratch folder",
    transient: true,
  });
}
