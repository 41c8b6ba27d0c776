// Where a stored backup is harmed is chosen at random; the seed is in the test's failure.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { downloadArchive } from "../../provider/backup/download-backup";
import { Failure } from "../../provider/core/errors";
import { type Manifest, ManifestSchema } from "../../provider/core/manifest";
import { task, temporaryFolder } from "../contract/backup-support";
import { type BackedUp, backedUp, CATALOG, SLOT } from "../contract/verify-support";

const never = new AbortController().signal;
let backup: BackedUp;
let archive: Buffer;
let manifest: Buffer;
let manifestPath: string;
beforeAll(async () => {
  backup = await backedUp();
  manifestPath = fileURLToPath(`${backup.url}/${CATALOG}/${SLOT}.json`);
  [archive, manifest] = await Promise.all([readFile(backup.archivePath), readFile(manifestPath)]);
});
afterAll(() => backup[Symbol.asyncDispose]());

async function expectDamaged(bytes: Buffer): Promise<void> {
  await writeFile(backup.archivePath, bytes);
  try {
    expect(await backup.verify()).toMatchObject({ outcome: "damaged" });
    await using folder = await temporaryFolder();
    const fetched = downloadArchive(backup.store, CATALOG, SLOT, { to: `${folder.path}/copy` }, task());
    await expect(fetched).rejects.toMatchObject({ code: expect.stringMatching(/^archive-/) });
  } finally {
    await writeFile(backup.archivePath, archive);
  }
}

const flipped = (bytes: Buffer, bit: number) => {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return copy;
};

describe("an archive", () => {
  test("with one flipped bit, anywhere, is damaged", async () => {
    const bits = fc.integer({ min: 0, max: archive.length * 8 - 1 });
    await fc.assert(
      fc.asyncProperty(bits, (bit) => expectDamaged(flipped(archive, bit))),
      { numRuns: 200 },
    );
  });

  test("that ends early, anywhere, is damaged", async () => {
    const ends = fc.integer({ min: 0, max: archive.length - 1 });
    await fc.assert(
      fc.asyncProperty(ends, (end) => expectDamaged(archive.subarray(0, end))),
      { numRuns: 200 },
    );
  });

  test("whose tar was cut at any block and packed again is damaged", async () => {
    const tar = gunzipSync(archive);
    const blocks = fc.integer({ min: 0, max: tar.length / 512 - 1 });
    await fc.assert(
      fc.asyncProperty(blocks, (block) => expectDamaged(gzipSync(tar.subarray(0, block * 512)))),
      { numRuns: 200 },
    );
  });
});

/** What a reader relies on: of these no word may be changed unnoticed. The rest is for people. */
const reliedOn = ({ slot, archive, encryption, files, rdb, replication }: Manifest) => ({
  ...{ slot, archive, encryption, replication, magic: rdb.magic, rdbBytes: rdb.sizeBytes },
  files: files.map(({ path, sizeBytes, sha256 }) => ({ path, sizeBytes, sha256 })),
});

test("a manifest with one flipped bit, anywhere, vouches for nothing but what is there", async () => {
  const original = reliedOn(ManifestSchema.parse(JSON.parse(manifest.toString())));
  const bits = fc.integer({ min: 0, max: manifest.length * 8 - 1 });
  await fc.assert(
    fc.asyncProperty(bits, async (bit) => {
      const changed = flipped(manifest, bit);
      await writeFile(manifestPath, changed);
      try {
        const { outcome } = await backup.verify();
        if (outcome !== "verified") return;
        expect(reliedOn(ManifestSchema.parse(JSON.parse(changed.toString())))).toEqual(original);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        expect(error.code).toMatch(/^(unreadable-manifest|manifest-damaged|needs-key)$/);
      } finally {
        await writeFile(manifestPath, manifest);
      }
    }),
    { numRuns: 400 },
  );
  expect(await backup.verify()).toMatchObject({ outcome: "verified" });
  expect((await backup.store.list(`${CATALOG}/`, never)).map(({ key }) => key)).toHaveLength(3);
});
