import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { until } from "./redis-server";

export interface Ledger extends AsyncDisposable {
  /** How many writes were acknowledged so far, in all lists. */
  written(): number;
  /** Ends the writing. Returns how many writes there were for each second of it. */
  stop(): Promise<number>;
}

/**
 * Appends 1, 2, 3, … to each of these lists: some hundred thousand a second, where the machine is idle. With a longer
 * pause between its batches of 500 in each list (5 ms unless given) it is slower.
 */
export function keepLedgers(port: number, ledgers: readonly string[], pauseMs = 5): Ledger {
  const program = fileURLToPath(new URL("./ledger-writer.mjs", import.meta.url));
  const args = [String(port), String(pauseMs), ...ledgers];
  const writer = fork(program, args, { execArgv: [], stdio: "inherit" });
  let written = 0;
  let startedAt: number | undefined;
  writer.on("message", (acknowledged: number) => {
    startedAt ??= performance.now();
    written += acknowledged;
  });
  const hasEnded = () => writer.exitCode !== null || writer.signalCode !== null;
  return {
    written() {
      if (hasEnded()) throw new Error("the ledgers' writer ended by itself: what it printed says why");
      return written;
    },
    async stop() {
      const seconds = (performance.now() - (startedAt ?? 0)) / 1000;
      const perSecond = written / seconds;
      writer.send("stop");
      await until("the ledgers' last batches", hasEnded);
      return perSecond;
    },
    async [Symbol.asyncDispose]() {
      if (hasEnded()) return;
      const ended = once(writer, "exit");
      writer.kill("SIGKILL");
      await ended;
    },
  };
}
