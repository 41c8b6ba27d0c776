import { parseArgs } from "node:util";
import { ToConsoleSchema, type FromConsole } from "../core/console-channel";
import { asFailure } from "../core/errors";
import { parseHostAndPort } from "../core/host-and-port";
import { systemClock } from "../system/clock";
import { log } from "../system/log";
import { serveConsole } from "./serve";

const USED_EVERY_MS = 5_000;

/** The console's process, started by the agent, which asks it for login addresses over the channel between them. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { home: { type: "string" }, listen: { type: "string" } } });
  const listen = parseHostAndPort(values.listen ?? "");
  if (listen === undefined) throw new Error("usage: main.js --home <data home> --listen <host:port>");
  // One page's mistake must not log everybody out, and end what they have started.
  process.on("unhandledRejection", (reason) => {
    log(`console: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}`);
  });
  const leaving = new AbortController();
  // The agent is gone, or tells us to go: its successor starts another console.
  process.once("disconnect", () => leaving.abort(new Error("the agent left")));
  const running = await serveConsole({
    dataHome: values.home,
    listen,
    clock: systemClock,
    signal: leaving.signal,
    onUse: atMostEvery(USED_EVERY_MS, () => tell({ kind: "used" })),
  });
  process.on("message", (message) => {
    const { call } = ToConsoleSchema.parse(message);
    tell({ kind: "login", call, url: running.loginUrl() });
  });
  tell({ kind: "listening", origin: running.origin });
  log(`console (process ${process.pid}) serves ${running.origin}`);
  const awaited = setInterval(() => running.isAwaited() && tell({ kind: "used" }), USED_EVERY_MS);
  await new Promise((resolve) => {
    leaving.signal.addEventListener("abort", resolve);
    if (leaving.signal.aborted) resolve(undefined);
  });
  clearInterval(awaited);
  await running[Symbol.asyncDispose]();
  process.exit(0);
}

function tell(message: FromConsole): void {
  // The agent may be gone already.
  if (process.connected) process.send?.(message, () => undefined);
}

function atMostEvery(ms: number, act: () => void): () => void {
  let last = -Infinity;
  return () => {
    if (performance.now() - last < ms) return;
    last = performance.now();
    act();
  };
}

main().catch((error: unknown) => {
  const { cause: why } = asFailure(error, "serve", "the console");
  process.send?.({ kind: "failed", why } satisfies FromConsole, () => process.exit(1));
});
