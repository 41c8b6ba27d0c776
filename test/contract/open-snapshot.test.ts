import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { openSnapshot } from "../../provider/backup/restore/open-snapshot";
import { temporaryFolder } from "./backup-support";

const execute = promisify(execFile);

/** What begins as a snapshot does; nobody loads it here. */
const SNAPSHOT = Buffer.concat([Buffer.from("REDIS0010"), randomBytes(1_500_000)]);

/** A chunk is as long as somebody chose: none may be taken for a whole. */
function read(path: string, chunkBytes = 4_000): AsyncIterable<Buffer> {
  return createReadStream(path, { highWaterMark: chunkBytes }) as AsyncIterable<Buffer>;
}

async function digest(content: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of content) hash.update(chunk);
  return hash.digest("hex");
}

const DIGEST = createHash("sha256").update(SNAPSHOT).digest("hex");

async function tarOf(folder: string, names: readonly string[], ...options: string[]): Promise<string> {
  for (const name of names) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), name.endsWith(".rdb") ? SNAPSHOT : randomBytes(700));
  }
  const path = join(folder, "made.tar");
  await execute("tar", ["-cf", path, ...options, "-C", folder, ...names]);
  return path;
}

describe("opening a snapshot", () => {
  it.each(["v7", "ustar", "gnu", "posix"])("finds the one in a tar of the format %s", async (format) => {
    await using folder = await temporaryFolder();
    const path = await tarOf(folder.path, ["a.txt", "data/dump.rdb", "z.aof"], `--format=${format}`);
    for (const chunkBytes of [1_000, 100_000]) {
      await using found = await openSnapshot(read(path, chunkBytes), "made.tar");
      expect(found).toMatchObject({ kind: "snapshot", sizeBytes: SNAPSHOT.length });
      if (found.kind === "snapshot") expect(await digest(found.content)).toBe(DIGEST);
    }
  });

  it.each(["gnu", "posix"])("reads names that are too long for a header of the format %s", async (format) => {
    await using folder = await temporaryFolder();
    const long = `${"a".repeat(80)}/${"b".repeat(80)}/${"é".repeat(40)}.rdb`;
    const path = await tarOf(folder.path, [`${"c".repeat(120)}.txt`, long], `--format=${format}`);
    await using found = await openSnapshot(read(path), "made.tar");
    expect(found.kind === "snapshot" && (await digest(found.content))).toBe(DIGEST);
  });

  it("unpacks one that is packed by gzip in several parts", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "dump");
    const parts = [SNAPSHOT.subarray(0, 700_000), SNAPSHOT.subarray(700_000)];
    await writeFile(path, Buffer.concat(parts.map((part) => gzipSync(part))));
    await using found = await openSnapshot(read(path), "dump");
    expect(found.kind === "snapshot" && (await digest(found.content))).toBe(DIGEST);
  });

  it("fails at the end where a second one follows, or where the tar is cut short", async () => {
    await using folder = await temporaryFolder();
    const two = await tarOf(folder.path, ["one.rdb", "two.rdb"]);
    await using found = await openSnapshot(read(two), "two.tar");
    await expect(found.kind === "snapshot" && digest(found.content)).rejects.toThrow(
      'it holds several snapshots: "one.rdb", "two.rdb"',
    );
    const cut = join(folder.path, "cut.tar");
    await writeFile(cut, (await readFile(two)).subarray(0, 900_000));
    await using part = await openSnapshot(read(cut), "cut.tar");
    await expect(part.kind === "snapshot" && digest(part.content)).rejects.toThrow(
      'it ends within "one.rdb"',
    );
  });

  it("takes no link and no folder for one, whatever they are called", async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "folder.rdb"));
    await execute("ln", ["-s", "/etc/passwd", join(folder.path, "link.rdb")]);
    const path = join(folder.path, "made.tar");
    await execute("tar", ["-cf", path, "-C", folder.path, "folder.rdb", "link.rdb"]);
    await expect(openSnapshot(read(path), "made.tar")).rejects.toThrow(
      'there is no .rdb in it, but "folder.rdb/", "link.rdb"',
    );
  });
});
