import { createHash } from "node:crypto";
import { Failure } from "../../core/errors";
import type { HomeLayout } from "../../platforms/local/home";
import { recordedPorts } from "../../platforms/local/records";
import { isPortFree } from "../../system/ports";

/** Above the ports that are chosen for add-ons, below what systems hand out to outgoing connections. */
const FIRST = 30_000;
const COUNT = 2_000;

/**
 * The console's port: the data home's own, so that an open page goes on after the agent was started again, or the next
 * one that nobody listens on and no add-on has; a stopped add-on's must stay free for it. `home`: the data home's id.
 */
export async function consolePort(layout: HomeLayout, home: string, host: string): Promise<number> {
  const taken = await recordedPorts(layout, "");
  const start = createHash("sha256").update(`${home}/console`).digest().readUInt32BE() % COUNT;
  for (let offset = 0; offset < COUNT; offset++) {
    const port = FIRST + ((start + offset) % COUNT);
    if (!taken.has(port) && (await isPortFree(host, port))) return port;
  }
  throw new Failure({
    code: "no-free-port",
    operation: "give a port to",
    subject: "the console",
    cause: `all ports from ${FIRST} to ${FIRST + COUNT - 1} are taken`,
    hint: "Choose one with REDIS_ADDON_CONSOLE=127.0.0.1:<port> where the agent is started",
  });
}
