import { describe, expect, test } from "vitest";
import { type PlaceFacts, type PlaceSettings, snapshotPlace } from "../../provider/core/snapshot-place";

const MB = 1024 * 1024;
const version = (text: string, flavor: "redis" | "valkey" = "redis") => ({ flavor, version: text });
const decide = (facts: Partial<PlaceFacts>) => {
  const place = snapshotPlace({ settings: {}, acceptDisk: false, ...facts });
  return place.kind === "refused" ? place.why : place.kind;
};

describe("a leader of ours prepares the snapshot", () => {
  const used = { usedMemoryBytes: 100 * MB, datasetBytes: 90 * MB };
  test.each<[string, string, Partial<PlaceFacts>]>([
    ["on its disk, which has room for the data twice and some", "disk", { leaderFolderFreeBytes: 328 * MB }],
    ["in memory where its disk has a byte less", "memory", { leaderFolderFreeBytes: 328 * MB - 1 }],
    [
      "in memory where nobody knows how large it is",
      "memory",
      { leaderFolderFreeBytes: 999 * MB, usedMemoryBytes: undefined },
    ],
    [
      "nowhere where its own files could lack room",
      "scratch-too-small",
      { leaderFolderFreeBytes: 253 * MB, scratchFreeBytes: 253 * MB },
    ],
    [
      "in memory where both it and we have room",
      "memory",
      { leaderFolderFreeBytes: 254 * MB, scratchFreeBytes: 254 * MB },
    ],
    ["on its disk however small ours is", "disk", { leaderFolderFreeBytes: 999 * MB, scratchFreeBytes: 0 }],
  ])("%s", (_, place, facts) => {
    expect(decide({ ...used, ...facts })).toBe(place);
  });
});

describe("a leader that isn't ours", () => {
  const no: PlaceSettings = {
    "repl-diskless-sync": "no",
    save: "3600 1 300 100",
    "stop-writes-on-bgsave-error": "yes",
    appendonly: "no",
  };
  const refused = "leader-would-use-disk";
  test.each<[string, string, Partial<PlaceFacts>]>([
    [
      "sends it from memory where it says that it does",
      "memory",
      { settings: { "repl-diskless-sync": "yes" }, version: version("6.2.14") },
    ],
    ["is refused where it says no", refused, { settings: no, version: version("7.2.4") }],
    ["is refused where it says no and no more", refused, { settings: { "repl-diskless-sync": "no" } }],
    ["may use its disk where somebody accepts it", "memory", { settings: no, acceptDisk: true }],
    ["may use its disk without save points", "memory", { settings: { ...no, save: "" } }],
    [
      "may use its disk where a failed save stops nothing",
      "memory",
      { settings: { ...no, "stop-writes-on-bgsave-error": "no" } },
    ],
    [
      "is refused without save points where it appends to a file",
      refused,
      { settings: { ...no, save: "", appendonly: "yes" } },
    ],
    ["is refused by its version, Redis 6.2", refused, { version: version("6.2.14") }],
    ["sends it from memory by its version, Redis 7.0", "memory", { version: version("7.0.0") }],
    ["sends it from memory by its version, Redis 10", "memory", { version: version("10.0.1") }],
    ["sends it from memory by its version, Valkey", "memory", { version: version("8.0.1", "valkey") }],
    ["is refused where nobody knows even that", refused, {}],
    ["is accepted where nobody knows even that", "memory", { acceptDisk: true }],
  ])("%s", (_, place, facts) => {
    expect(decide(facts)).toBe(place);
  });

  test.each<[string, string, Partial<PlaceFacts>]>([
    ["seven tenths of its data's size", "memory", { datasetBytes: 10 * MB, scratchFreeBytes: 7 * MB }],
    ["a byte less than that", "scratch-too-small", { datasetBytes: 10 * MB, scratchFreeBytes: 7 * MB - 1 }],
    [
      "seven tenths of its memory, where that is all it tells",
      "memory",
      { usedMemoryBytes: 10 * MB, scratchFreeBytes: 7 * MB },
    ],
    ["nothing, but nobody knows its size", "memory", { scratchFreeBytes: 0 }],
  ])("and we have room for %s", (_, place, facts) => {
    expect(decide({ version: version("7.2.4"), ...facts })).toBe(place);
  });
});

test("a refusal says whether the leader told its settings, or was taken to be as its version comes", () => {
  const facts = { acceptDisk: false, version: version("6.2.14") };
  expect(snapshotPlace({ ...facts, settings: { "repl-diskless-sync": "no" } })).toMatchObject({ told: true });
  expect(snapshotPlace({ ...facts, settings: {} })).toMatchObject({ told: false });
});
