import { createHash } from "node:crypto";
import { Failure } from "../core/errors";
import type { HomeLayout } from "../platforms/local/home";
import { readRecord, recordedNames } from "../platforms/local/records";
import { isPortFree } from "../system/ports";

/** Below what Linux and macOS hand out to outgoing connections, which would take a stopped add-on's port. */
const FIRST = 20_000;
const COUNT = 10_000;

/**
 * The port of an add-on (`home` is its data home's id, so that two users' add-ons of one name start apart): the one it asks for or has, however busy it is now (a recorded port never changes by itself);
 * for a new add-on the first one from its own place on that no other add-on has and nobody listens on.
 */
export async function choosePort(
  layout: HomeLayout,
  home: string,
  name: string,
  bind: string,
  wanted: number | undefined,
): Promise<number> {
  const taken = new Map<number, string>();
  for (const other of await recordedNames(layout)) {
    const record = other === name ? undefined : await readRecord(layout, other);
    if (record !== undefined) taken.set(record.server.wish.port, other);
  }
  if (wanted !== undefined) {
    const other = taken.get(wanted);
    if (other === undefined) return wanted;
    throw new Failure({
      code: "port-taken",
      operation: "give a port to",
      subject: name,
      cause: `port ${wanted} belongs to the add-on ${other}`,
      hint: "Choose another port, or leave it out to have one chosen",
    });
  }
  const start = createHash("sha256").update(`${home}/${name}`).digest().readUInt32BE() % COUNT;
  for (let offset = 0; offset < COUNT; offset++) {
    const port = FIRST + ((start + offset) % COUNT);
    if (!taken.has(port) && (await isPortFree(bind, port))) return port;
  }
  throw new Failure({
    code: "no-free-port",
    operation: "give a port to",
    subject: name,
    cause: `all ports from ${FIRST} to ${FIRST + COUNT - 1} are taken`,
    hint: "Set the input port",
  });
}
