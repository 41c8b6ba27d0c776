import { expect, test } from "vitest";
import { readCatalog } from "../../provider/backup/catalog";
import { recordVerification } from "../../provider/backup/verify/record";
import type { Manifest } from "../../provider/core/manifest";
import {
  type Verification,
  VERIFICATION_OUTCOMES,
  verificationKey,
  type VerificationOutcome,
} from "../../provider/core/verification";
import type { Store } from "../../provider/stores/contract";
import { temporaryStore } from "./backup-support";
import { CATALOG, marks, put, SLOT } from "./verify-support";

const never = new AbortController().signal;
const ARCHIVE = `${SLOT}-aaaa.tar.gz`;
const MANIFEST: Manifest = {
  format: 1,
  addon: { name: "cache", catalogKey: CATALOG },
  slot: SLOT,
  reason: "scheduled",
  archive: { name: ARCHIVE, sizeBytes: 4, sha256: "0".repeat(64) },
  files: [],
  takenAt: "2026-05-01T03:00:00.000Z",
  finishedAt: "2026-05-01T03:00:00.000Z",
  replication: { id: "x", offset: 0 },
  server: { name: "redis", version: "7.0.15" },
  rdb: { magic: "REDIS0010", version: 10, sizeBytes: 1 },
};
const found = (outcome: VerificationOutcome, archive = ARCHIVE): Verification => ({
  format: 1,
  slot: SLOT,
  archive,
  outcome,
  at: "2026-05-01T04:00:00.000Z",
});
const listed = async (store: Store) =>
  (await readCatalog(store, CATALOG, never)).backups.map(({ verification }) => verification);

async function withBackup() {
  const opened = await temporaryStore();
  await put(opened.store, `${CATALOG}/${ARCHIVE}`, "data");
  await put(opened.store, `${CATALOG}/${SLOT}.json`, JSON.stringify(MANIFEST));
  return opened;
}

test.each<[VerificationOutcome, VerificationOutcome, VerificationOutcome]>([
  ["verified", "damaged", "damaged"],
  ["verified", "structure-checked", "verified"],
  ["damaged", "verified", "verified"],
  ["damaged", "structure-checked", "damaged"],
  ["structure-checked", "verified", "verified"],
  ["structure-checked", "damaged", "damaged"],
])("%s and then found %s, a backup is listed as %s, by one mark", async (first, second, result) => {
  await using opened = await withBackup();
  await recordVerification(opened.store, CATALOG, found(first), never);
  await recordVerification(opened.store, CATALOG, found(second), never);
  expect(await listed(opened.store)).toEqual([result]);
  expect(await marks(opened.store)).toHaveLength(2);
});

test.each(VERIFICATION_OUTCOMES)(
  "at no step on the way from %s to damaged or back does a damaged backup look better than it did",
  async (first) => {
    await using opened = await withBackup();
    const seen: (VerificationOutcome | undefined)[] = [];
    const watched: Store = {
      ...opened.store,
      put: async (...given) => {
        const done = await opened.store.put(...given);
        seen.push(...(await listed(opened.store)));
        return done;
      },
      delete: async (...given) => {
        await opened.store.delete(...given);
        seen.push(...(await listed(opened.store)));
      },
    };
    await recordVerification(opened.store, CATALOG, found(first), never);
    await recordVerification(watched, CATALOG, found("damaged"), never);
    expect(new Set(seen)).toEqual(new Set(["damaged"]));
    seen.length = 0;
    await recordVerification(watched, CATALOG, found("verified"), never);
    expect(new Set(seen)).toEqual(new Set(["damaged", "verified"]));
  },
);

test("what an earlier backup of the slot left does not vouch for this one, nor against it", async () => {
  for (const left of ["verified", "damaged"] as const) {
    await using opened = await withBackup();
    const foreign = JSON.stringify(found(left, `${SLOT}-zzzz.tar.gz`));
    await put(opened.store, verificationKey(CATALOG, SLOT, left), foreign);
    await recordVerification(opened.store, CATALOG, found("structure-checked"), never);
    expect(await listed(opened.store)).toEqual(["structure-checked"]);
  }
});

test("nothing is written beside a backup that was removed or replaced while it was looked at", async () => {
  await using opened = await withBackup();
  const other = found("verified", `${SLOT}-zzzz.tar.gz`);
  await expect(recordVerification(opened.store, CATALOG, other, never)).rejects.toMatchObject({
    code: "no-such-backup",
  });
  await opened.store.delete(`${CATALOG}/${SLOT}.json`, never);
  await expect(recordVerification(opened.store, CATALOG, found("verified"), never)).rejects.toMatchObject({
    code: "no-such-backup",
  });
  expect(await marks(opened.store)).toEqual([]);
});
