import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { watchBackups } from "../../provider/agent/alerts/watch-backups";
import { saveRecord } from "../../provider/agent/records/record-file";
import type { AddonRecord } from "../../provider/core/facets";
import { ensureHome, layoutOf } from "../../provider/platforms/local/home";
import { systemClock } from "../../provider/system/clock";
import { type AlertReceiver, startAlertReceiver } from "../support/alert-receiver";
import { testRecord } from "../support/local-addon";
import { movedClock, type MovedClock } from "../support/moved-clock";
import { until } from "../support/redis-server";
import { temporaryFolder } from "./backup-support";

const LOOK_MS = 5_000;
export const HOUR = 60 * 60_000;
/** Of the backup that is due when a test begins, an hour later. */
export const SLOT = Date.parse("2026-05-10T03:00:00Z");
/** Why a backup failed. */
export const DETAIL = "cannot back up cache: the disk is full";

/** A data home whose add-ons nobody runs: a test says how their backups went, and when a watch looks at them. */
export interface WatchedHome extends AsyncDisposable {
  readonly clock: MovedClock;
  readonly running: Set<string>;
  record(webhook?: string, name?: string, changes?: Partial<AddonRecord>): Promise<void>;
  /** What the last run of an add-on was. */
  ran(outcome: "verified" | "unverified" | "failed", name?: string): Promise<void>;
  /** Begins to watch; the watch that was there is over, as with an agent that was killed. */
  agent(): Promise<void>;
  looks(count?: number): Promise<void>;
  path(name: string): string;
}

export async function makeWatchedHome(): Promise<WatchedHome> {
  const folder = await temporaryFolder();
  const layout = layoutOf(join(folder.path, "home"));
  const { host } = await ensureHome(layout);
  expect(host).not.toBe("");
  const clock = movedClock(SLOT + HOUR);
  const running = new Set<string>();
  let agent = { leaving: new AbortController(), watch: Promise.resolve() };
  const leave = async (): Promise<void> => {
    agent.leaving.abort(new Error("the agent is leaving"));
    await agent.watch;
  };
  const looked = async (before: number): Promise<void> => {
    while (clock.pauses(LOOK_MS) <= before) await systemClock.sleep(1);
  };
  let failures = 0;
  let verifiedAt = SLOT;
  return {
    clock,
    running,
    record: async (webhook, name = "cache", changes = {}) => {
      const record = { ...testRecord(), name, catalogKey: `${name}-00000000`, ...changes };
      const wish = {
        schedule: { daily: "03:00" },
        retention: { days: 7 },
        ...(webhook === undefined ? {} : { alerts: { webhook } }),
      };
      const since = "2026-01-01T00:00:00.000Z";
      await saveRecord(layout, {
        ...record,
        backups: { wish, instance: { token: "b", confirmed: true }, given: [], since },
      });
    },
    ran: async (outcome, name = "cache") => {
      const now = clock.now();
      const slot = now - ((now - SLOT) % (24 * HOUR));
      failures = outcome === "failed" ? failures + 1 : 0;
      if (outcome === "verified") verifiedAt = slot;
      await writeFile(
        layout.addon(name).backups,
        JSON.stringify({
          at: new Date(now).toISOString(),
          outcome: outcome === "failed" ? "failed" : "backed-up",
          detail: outcome === "failed" ? DETAIL : "a slot",
          ...(outcome === "verified" ? { verification: "verified" } : {}),
          ...(outcome === "failed" ? {} : { newestSlotAt: slot }),
          newestVerifiedAt: verifiedAt,
          failures,
        }),
      );
    },
    agent: async () => {
      await leave();
      const leaving = new AbortController();
      const before = clock.pauses(LOOK_MS);
      const isRunning = (name: string): boolean => running.has(name);
      agent = { leaving, watch: watchBackups({ layout, clock, signal: leaving.signal, isRunning }) };
      await looked(before);
    },
    looks: async (count = 1) => {
      for (let look = 0; look < count; look++) {
        const before = clock.pauses(LOOK_MS);
        await clock.advance(LOOK_MS);
        await looked(before);
      }
    },
    path: (name) => layout.addon(name).root,
    [Symbol.asyncDispose]: async () => {
      await leave();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** One that is watched already: the add-on `cache` tells a receiver of its own, and its last run was that. */
export async function makeAlertedHome(
  lastRun: "verified" | "failed",
  answer: AlertReceiver["answer"] = 200,
): Promise<WatchedHome & { readonly receiver: AlertReceiver }> {
  const home = await makeWatchedHome();
  const receiver = await startAlertReceiver();
  receiver.answer = answer;
  await home.record(receiver.url);
  await home.ran(lastRun);
  await home.agent();
  return {
    ...home,
    receiver,
    [Symbol.asyncDispose]: async () => {
      await receiver[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

/** Looks until so many have been received; what arrives later than that, another look brings. */
export async function receives(home: WatchedHome, receiver: AlertReceiver, count: number): Promise<void> {
  await until(`${count} are received`, async () => {
    await home.looks();
    return receiver.received.length >= count;
  });
}
