import { randomUUID } from "node:crypto";
import { Failure } from "../core/errors";
import type { Task } from "../core/task";
import type { RedisClient } from "./client";
import { numberIn, pairsIn, type Info } from "./info";

/** A tenth of the shortest stall that was measured. */
const EVERY_MS = 2;

interface ProbedWrites {
  /** Between the last write that the old leader took and the first that the new one took, as the probe saw it. */
  readonly stallMs: number;
  /** Since the old leader first answered READONLY; 0: it never did. */
  readonly readonlyMs: number;
  /** The probe's own READONLY answers there. */
  readonly readonlyProbes: number;
}

/**
 * Writes to both servers of a switchover for as long as it lasts, a few hundred times a second, to see when which of them
 * takes writes: it deletes a key that isn't there, which changes nothing. Connections of their own, whose commands may
 * be held up for a while.
 */
export function probeWrites(
  from: RedisClient,
  to: RedisClient,
  task: Pick<Task, "clock" | "signal">,
): { stop(): Promise<ProbedWrites> } {
  const stopping = new AbortController();
  const signal = AbortSignal.any([task.signal, stopping.signal]);
  const key = `redis-addon:switchover:${randomUUID()}`;
  let lastTaken = task.clock.now();
  let firstTaken: number | undefined;
  let readonlySince: number | undefined;
  let readonlyProbes = 0;

  const probing = Promise.all([
    each(from, () => {
      lastTaken = task.clock.now();
    }),
    each(to, () => {
      firstTaken ??= task.clock.now();
    }),
  ]);

  async function each(server: RedisClient, onTaken: () => void): Promise<void> {
    while (!signal.aborted) {
      try {
        await server.command("DEL", key);
        onTaken();
      } catch (error) {
        if (!(error instanceof Failure) || error.code === "connection-closed") return;
        if (server === from && error.code === "read-only") {
          readonlySince ??= task.clock.now();
          readonlyProbes++;
        }
      }
      await task.clock.sleep(EVERY_MS, signal).catch(() => undefined);
    }
  }

  return {
    async stop() {
      const end = task.clock.now();
      stopping.abort();
      await probing;
      return {
        stallMs: Math.max(0, Math.round((firstTaken ?? end) - lastTaken)),
        readonlyMs: readonlySince === undefined ? 0 : Math.round(end - readonlySince),
        readonlyProbes,
      };
    },
  };
}

/** How many commands a server has answered with READONLY since it started, or since its counts were last cleared. */
export function readonlyAnswers(info: Info): number {
  const counts = info.get("errorstat_READONLY");
  return counts === undefined ? 0 : (numberIn(pairsIn(counts), "count") ?? 0);
}
