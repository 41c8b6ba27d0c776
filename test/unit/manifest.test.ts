import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  archiveKey,
  holdKey,
  type Manifest,
  manifestKey,
  ManifestSchema,
  parseObjectName,
  pinKey,
} from "../../provider/core/manifest";
import { formatSlot } from "../../provider/core/slot";
import { VERIFICATION_OUTCOMES, verificationKey } from "../../provider/core/verification";

const SHA = "0".repeat(64);
const MANIFEST: Manifest = {
  format: 1,
  addon: { name: "cache", catalogKey: "cache-12345678" },
  slot: "20260329T010203004Z",
  reason: "scheduled",
  archive: { name: "20260329T010203004Z-abc123.tar.gz", sizeBytes: 900, sha256: SHA },
  files: [{ path: "dump.rdb", sizeBytes: 100, sha256: SHA }],
  takenAt: "2026-03-29T01:02:04.000Z",
  finishedAt: "2026-03-29T01:02:05.000Z",
  replication: { id: "a".repeat(40), offset: 0 },
  server: { name: "valkey", version: "9.1.2" },
  rdb: { magic: "VALKEY080", version: 80, sizeBytes: 100 },
};

describe("a manifest", () => {
  test("is read with what a later version may add, at every depth", () => {
    const later = { ...MANIFEST, chain: 3, server: { ...MANIFEST.server, modules: [] } };
    expect(ManifestSchema.parse(JSON.parse(JSON.stringify(later)))).toEqual(later);
  });

  test.each([
    ["another format", { format: 2 }],
    ["no slot", { slot: "yesterday" }],
    ["an unknown reason", { reason: "whim" }],
    ["half a hash", { archive: { ...MANIFEST.archive, sha256: "abc" } }],
    ["a negative offset", { replication: { id: "x", offset: -1 } }],
    ["a local time", { takenAt: "2026-03-29 01:02" }],
    ["an unknown server", { server: { name: "keydb", version: "6" } }],
  ])("with %s is refused", (_, change) => {
    expect(ManifestSchema.safeParse({ ...MANIFEST, ...change }).success).toBe(false);
  });

  test.each(["../backup.tar.gz", "20260329T010203004Z-a/b.tar.gz", "20260329T010203004Z-a.tar.gz.age.x", ""])(
    "whose archive would be called %j is refused",
    (name) => {
      const forged = { ...MANIFEST, archive: { ...MANIFEST.archive, name } };
      expect(ManifestSchema.safeParse(forged).success).toBe(false);
    },
  );

  test.each(Object.keys(MANIFEST))("without %s is refused", (field) => {
    expect(ManifestSchema.safeParse({ ...MANIFEST, [field]: undefined }).success).toBe(false);
  });
});

describe("the names of a catalog's objects", () => {
  const slots = fc.integer({ min: 0, max: Date.parse("9999-12-31T23:59:59.999Z") }).map(formatSlot);

  test("tell what they are", () => {
    fc.assert(
      fc.property(slots, fc.stringMatching(/^[0-9a-f]{1,16}$/), fc.boolean(), (slot, attempt, encrypted) => {
        const name = (key: string) => key.slice("cache-1/".length);
        expect(parseObjectName(name(manifestKey("cache-1", slot)))).toEqual({ kind: "manifest", slot });
        expect(parseObjectName(name(archiveKey("cache-1", slot, attempt, encrypted)))).toEqual({
          kind: "archive",
          slot,
          attempt,
        });
        for (const outcome of VERIFICATION_OUTCOMES)
          expect(parseObjectName(name(verificationKey("cache-1", slot, outcome)))).toEqual({
            kind: "verification",
            slot,
            outcome,
          });
        expect(parseObjectName(name(pinKey("cache-1", slot)))).toEqual({ kind: "pin", slot });
        expect(parseObjectName(name(holdKey("cache-1", slot, attempt)))).toEqual({ kind: "hold", slot });
      }),
    );
  });

  test.each(["README.md", "20260329T010203004Z", "20260230T000000000Z.json", "20260329T010203004Z-.tar.gz"])(
    "pass over a stranger's file, %s",
    (name) => {
      expect(parseObjectName(name)).toBeUndefined();
    },
  );
});
