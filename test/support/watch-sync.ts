import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import type { SyncStatus } from "../../provider/core/status";
import { parseInfo } from "../../provider/redis/info";
import { classifySync } from "../../provider/redis/sync-status";
import { eventually, type LocalAddon } from "./local-addon";
import type { RedisServer } from "./redis-server";

/** Looks at a follower again and again, and at what its leader had just before each look. */
export interface SyncWatch extends AsyncDisposable {
  /** What was told so far. */
  seen(): readonly SyncStatus[];
  /** The first status from now on that it holds for. */
  until(holds: (status: SyncStatus) => boolean): Promise<SyncStatus>;
  /** That it never called itself in sync while it lacked more than that allows, or had no link. */
  expectTruth(): Promise<void>;
}

const EVERY_MS = 20;
const ALLOWED_BYTES = 1024 ** 2;

export async function watchSync(source: RedisServer, addon: LocalAddon): Promise<SyncWatch> {
  const admin = await addon.admin();
  const seen: SyncStatus[] = [];
  const lies: string[] = [];
  let running = true;
  let failure: unknown;
  const look = async () => {
    const leader = parseInfo(await source.client.info());
    const follower = await admin.info();
    const status = classifySync({ follower, leader });
    seen.push(status);
    if (status.state !== "synced") return;
    const missing = Number(leader.get("master_repl_offset")) - Number(follower.get("slave_repl_offset"));
    const isLinked = follower.get("master_link_status") === "up" && follower.get("loading") === "0";
    const isSame = follower.get("master_replid") === leader.get("master_replid");
    if (missing > ALLOWED_BYTES || !isLinked || !isSame)
      lies.push(JSON.stringify({ status, missing, isLinked, isSame }));
  };
  const looking = (async () => {
    while (running) {
      await look();
      await pause(EVERY_MS);
    }
  })().catch((error: unknown) => (failure = error));
  const stop = async () => {
    running = false;
    await looking;
  };
  return {
    seen: () => seen,
    until: async (holds) => {
      const from = seen.length;
      const found = await eventually(
        async () => seen.slice(from).find(holds),
        (status) => status !== undefined || failure !== undefined,
        40_000,
      );
      if (found === undefined) throw failure;
      return found;
    },
    expectTruth: async () => {
      await stop();
      expect(failure).toBeUndefined();
      expect(seen.length).toBeGreaterThan(1);
      expect(lies).toEqual([]);
    },
    [Symbol.asyncDispose]: stop,
  };
}
