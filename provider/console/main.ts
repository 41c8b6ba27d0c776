import { parseArgs } from "node:util";
import { systemClock } from "../system/clock";
import { log } from "../system/log";
import { serveConsole } from "./serve";

/** The console's process, started by the agent, which asks it for login addresses over the channel between them. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { home: { type: "string" } } });
  const leaving = new AbortController();
  const running = await serveConsole({
    dataHome: values.home,
    listen: { host: "127.0.0.1", port: 0 },
    clock: systemClock,
    signal: leaving.signal,
  });
  process.on("message", () => process.send?.({ kind: "login", url: running.loginUrl() }));
  // The agent is gone: its successor starts another console.
  process.once("disconnect", () => process.exit(0));
  process.send?.({ kind: "listening", origin: running.origin });
  log(`console: serves ${running.origin}`);
}

main().catch((error: unknown) => {
  log(`console: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
