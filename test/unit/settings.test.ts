import { expect, test } from "vitest";
import { changeNeeds, liveSettings, reachableHost, serverSettings } from "../../provider/core/settings";
import { testRecord } from "../support/local-addon";

const { wish } = testRecord().server;

test("what Redis takes at run time is live", () => {
  expect(changeNeeds(wish, wish)).toEqual({ kind: "nothing" });
  expect(changeNeeds(wish, { ...wish, evictionPolicy: "allkeys-lru", access: "advanced" })).toEqual({
    kind: "live",
    changed: ["access", "evictionPolicy"],
  });
  // l_mono and xl_mono differ in memory alone.
  expect(changeNeeds({ ...wish, plan: "l_mono" }, { ...wish, plan: "xl_mono" }).kind).toBe("live");
});

test("what it doesn't take restarts, and is named", () => {
  expect(changeNeeds(wish, { ...wish, plan: "l_mono", port: 7000 })).toEqual({
    kind: "restart",
    changed: ["plan", "port"],
    because: ["databases from 5 to 10", "port from 6379 to 7000"],
  });
});

test("a chosen setting changes live, or restarts and is named where only a launch takes it", () => {
  const wishing = (settings: typeof wish.settings) => ({ ...wish, settings });
  expect(changeNeeds(wishing({}), wishing({ timeout: "60" }))).toEqual({
    kind: "live",
    changed: ["settings"],
  });
  expect(changeNeeds(wishing({ timeout: "60" }), wishing({}))).toEqual({
    kind: "live",
    changed: ["settings"],
  });
  expect(
    changeNeeds(
      wishing({ timeout: "60", "io-threads": "4", "tcp-backlog": "511" }),
      wishing({ "tcp-backlog": "1024", timeout: "90" }),
    ),
  ).toEqual({
    kind: "restart",
    changed: ["settings"],
    because: ["io-threads from 4 to its default", "tcp-backlog from 511 to 1024"],
  });
});

test("the order in which settings are written changes nothing", () => {
  const wishing = (...settings: [string, string][]) => ({ ...wish, settings: Object.fromEntries(settings) });
  const [one, other] = [
    wishing(["tcp-backlog", "1024"], ["io-threads", "4"]),
    wishing(["io-threads", "4"], ["tcp-backlog", "1024"]),
  ];
  expect(changeNeeds(one, other)).toEqual({ kind: "nothing" });
  expect(serverSettings(testRecord(one))).toEqual(serverSettings(testRecord(other)));
});

test("a setting that is no longer chosen is brought back to the version's default", () => {
  const valueOf = (name: string, changes: Partial<typeof wish>) =>
    liveSettings(testRecord(changes)).filter((setting) => setting.name === name);
  const chosen = valueOf("repl-backlog-size", { settings: { "repl-backlog-size": "65536" } });
  expect(chosen).toEqual([{ name: "repl-backlog-size", values: ["65536"], apply: "live" }]);
  expect(valueOf("repl-backlog-size", {})).toMatchObject([{ values: ["1048576"] }]);
  expect(valueOf("repl-backlog-size", { version: "valkey-8.1.8" })).toMatchObject([{ values: ["10485760"] }]);
  expect(valueOf("io-threads", { settings: { "io-threads": "4" } })).toEqual([]);
});

test("a default is written into no file, so that no server stumbles over one that it doesn't know", () => {
  expect(serverSettings(testRecord()).map(({ name }) => name)).not.toContain("timeout");
  expect(serverSettings(testRecord({ settings: { timeout: "60" } }))).toContainEqual({
    name: "timeout",
    values: ["60"],
    apply: "live",
  });
});

test("a version that can't load the data is refused, one that can restarts", () => {
  for (const version of ["7.2.4", "7.4", "8", "valkey-8"])
    expect(changeNeeds(wish, { ...wish, version }), version).toMatchObject({ kind: "restart" });
  expect(changeNeeds({ ...wish, version: "7.4.1" }, { ...wish, version: "7.2" })).toMatchObject({
    kind: "refused",
  });
  expect(changeNeeds({ ...wish, version: "7.2.4" }, { ...wish, version: "7.0.15" })).toMatchObject({
    kind: "refused",
    property: "version",
    cause: "a server of version 7.0.15 can't load the data of version 7.2.4",
  });
  expect(changeNeeds(wish, { ...wish, version: "newest" })).toMatchObject({ kind: "refused" });
});

test("a live change never asks for a setting that only a restart takes, and a restart always does", () => {
  const restarting = (changed: typeof wish) =>
    JSON.stringify(
      serverSettings({ ...testRecord(), server: { ...testRecord().server, wish: changed } }).filter(
        ({ apply }) => apply === "restart",
      ),
    );
  const changes = [
    { evictionPolicy: "volatile-ttl" },
    { access: "advanced" },
    { tier: "premium" },
    { plan: "s_mono" },
    { plan: "xxxxl_mono" },
    { port: 7000 },
    { bind: "0.0.0.0" },
    { settings: { timeout: "60" } },
    { settings: { "tcp-backlog": "1024" } },
  ] as const;
  for (const change of changes) {
    const changed = { ...wish, ...change };
    const restarts = changeNeeds(wish, changed).kind === "restart";
    expect(restarting(changed) !== restarting(wish), JSON.stringify(change)).toBe(restarts);
  }
});

test("a server that listens everywhere is reached on this machine's own address", () => {
  expect(reachableHost("127.0.0.1")).toBe("127.0.0.1");
  expect(reachableHost("0.0.0.0")).toBe("127.0.0.1");
  expect(reachableHost("::")).toBe("::1");
  expect(reachableHost("10.0.0.5 127.0.0.1")).toBe("10.0.0.5");
});
