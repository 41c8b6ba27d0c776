import { expect, test } from "vitest";
import { changeNeeds, reachableHost, serverSettings } from "../../provider/core/settings";
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

test("a version that can't load the data is refused, one that can restarts", () => {
  expect(changeNeeds(wish, { ...wish, version: "7.2.4" })).toMatchObject({ kind: "restart" });
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
