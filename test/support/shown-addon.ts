import type { AddonRecord, ServerWish } from "../../provider/core/facets";
import type { AddonStatus, ServerState } from "../../provider/core/status";
import type { ConsoleContext } from "../../provider/console/context";
import type { Failure } from "../../provider/core/errors";
import type { Clock } from "../../provider/core/task";
import type { Sample } from "../../provider/console/watch/samples";
import type { Platform } from "../../provider/platforms/contract";
import { testRecord } from "./local-addon";

/** When pages of these are looked at. */
export const NOW = Date.parse("2026-05-01T12:00:00.000Z");

export const RUNNING: Extract<ServerState, { state: "running" }> = {
  state: "running",
  version: "7.2.4",
  pid: 4711,
  memoryUsedBytes: 64 * 1024 ** 2,
  keys: 12_345,
  connections: 12,
  uptimeSeconds: 3 * 86_400,
  operationsPerSecond: 120,
  keyspaceHits: 900,
  keyspaceMisses: 100,
  evictedKeys: 0,
};

/** An add-on as the console is told of it: healthy, of shop/dev, but for the changes. */
export function shownAddon(
  changes: Partial<AddonStatus> & { readonly name: string },
  wish: Partial<ServerWish> = {},
): AddonStatus {
  return {
    owner: { project: "shop", stack: "dev" },
    createdAt: "2026-01-01T00:00:00.000Z",
    home: { id: "0123456789abcdef", host: "machine-1", path: "/home/ada/.local/share/redis-addon" },
    host: "127.0.0.1",
    port: 41_001,
    wish: { ...testRecord().server.wish, version: "7.2.4", port: 41_001, ...wish },
    health: "healthy",
    problems: [],
    server: RUNNING,
    replication: { role: "leader", followers: [] },
    backups: {
      schedule: { daily: "03:00" },
      retention: { days: 7 },
      catalog: `file:///home/ada/.local/share/redis-addon/backups/${changes.name}-01234567`,
      health: { state: "fresh" },
      newestVerified: "2026-05-01T03:00:00.000Z",
      next: "2026-05-02T03:00:00.000Z",
      lastRun: {
        at: "2026-05-01T03:00:04.000Z",
        outcome: "backed-up",
        detail: "20260501T030000000Z",
        verification: "verified",
      },
    },
    ...changes,
  };
}

/** What pages work with, of add-ons that stand still: for tests of what is made of a status, and of nothing behind it. */
export function stillContext(
  addons: readonly AddonStatus[],
  {
    unreadable = [],
    pending = [],
    samples = [],
    password = "user-pw",
  }: {
    samples?: readonly Sample[];
    unreadable?: readonly Failure[];
    pending?: readonly string[];
    password?: string;
  } = {},
): ConsoleContext {
  const clock: Clock = { now: () => NOW, sleep: () => Promise.resolve() };
  const find = (name: string) => addons.find((status) => status.name === name);
  const record = (name: string): AddonRecord => {
    const { credentials, ...rest } = testRecord();
    return { ...rest, name, credentials: { ...credentials, password } };
  };
  const platform: Partial<Platform> = {
    kind: "local",
    home: () => Promise.resolve(addons[0]?.home),
    names: () => Promise.resolve(addons.map(({ name }) => name)),
    load: (name) => Promise.resolve(find(name) && record(name)),
  };
  return {
    platform: platform as Platform,
    dataHome: undefined,
    clock,
    signal: new AbortController().signal,
    watch: {
      all: () => Promise.resolve({ addons, unreadable, pending, at: NOW }),
      one: (name) => Promise.resolve(find(name)),
      samples: () => samples,
    },
    activities: {
      start: () => {
        throw new Error("nothing is started here");
      },
      of: () => [],
      one: () => undefined,
    },
  };
}
