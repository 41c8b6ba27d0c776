import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import type { RedisClient } from "../../provider/redis/client";
import { until } from "./redis-server";

interface Ledgers {
  /** From the first to the last number of each run of writes that were all acknowledged, by list. */
  readonly written: readonly { readonly list: string; readonly acknowledged: readonly [number, number][] }[];
  /** Answers that were no acknowledgement, by their first word; `closed`: there was none. */
  readonly refusals: Readonly<Record<string, number>>;
  /** The longest that one writer was without an acknowledgement. */
  readonly worstGapMs: number;
  readonly perSecond: number;
}

export interface PairLedger extends AsyncDisposable {
  /** How many writes were acknowledged so far. */
  count(): number;
  stop(): Promise<Ledgers>;
}

interface PairLedgerOptions {
  readonly lists: readonly string[];
  /** How many writes each sends at once; 1 unless given. */
  readonly batch?: number;
  /** Between two batches; 1 unless given. */
  readonly pauseMs?: number;
}

/** Users who write to whichever of two add-ons takes writes, and keep a ledger of what was acknowledged to them. */
export function keepPairLedgers(
  [a, b]: readonly [AddonRecord, AddonRecord],
  { lists, batch = 1, pauseMs = 1 }: PairLedgerOptions,
): PairLedger {
  const program = fileURLToPath(new URL("./pair-writer.mjs", import.meta.url));
  const settings = [a.server.wish.port, b.server.wish.port, a.credentials.password, batch, pauseMs];
  const writer = fork(program, [...settings.map(String), ...lists], { execArgv: [], stdio: "inherit" });
  const startedAt = performance.now();
  let count = 0;
  let told: Omit<Ledgers, "perSecond"> | undefined;
  writer.on("message", (message: { taken: number } | Omit<Ledgers, "perSecond">) => {
    if ("taken" in message) count += message.taken;
    else told = message;
  });
  const hasEnded = () => writer.exitCode !== null || writer.signalCode !== null;
  return {
    count() {
      if (hasEnded()) throw new Error("the ledgers' writer ended by itself: what it printed says why");
      return count;
    },
    async stop() {
      const seconds = (performance.now() - startedAt) / 1000;
      writer.send("stop");
      await until("the ledgers' last batches", () => told !== undefined || hasEnded());
      if (told === undefined) throw new Error("the ledgers' writer ended without telling what it wrote");
      return { ...told, perSecond: count / seconds };
    },
    async [Symbol.asyncDispose]() {
      if (hasEnded()) return;
      const ended = once(writer, "exit");
      writer.kill("SIGKILL");
      await ended;
    },
  };
}

/** Every write that was acknowledged is there, in order and once. */
export async function expectAllWritten(server: RedisClient, { written }: Ledgers): Promise<void> {
  for (const { list, acknowledged } of written) {
    const found = ((await server.command("LRANGE", list, 0, -1)) as string[]).map(Number);
    for (let i = 1; i < found.length; i++)
      if ((found[i - 1] ?? 0) >= (found[i] ?? 0))
        throw new Error(`${list}: ${found[i]} after ${found[i - 1]}`);
    const present = new Set(found);
    const lost: number[] = [];
    for (const [first, last] of acknowledged)
      for (let number = first; number <= last; number++) if (!present.has(number)) lost.push(number);
    expect(lost.slice(0, 10), `${list}: ${lost.length} acknowledged writes are lost`).toEqual([]);
  }
}
