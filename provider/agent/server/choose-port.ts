import { createHash } from "node:crypto";
import { bindAddresses, bindProblem } from "../../core/bind";
import { Failure } from "../../core/errors";
import type { HomeLayout } from "../../platforms/local/home";
import { readRecord, recordedPorts } from "../../platforms/local/records";
import { isPortFree, listenProblem } from "../../system/ports";

/** Below what Linux and macOS hand out to outgoing connections, which would take a stopped add-on's port. */
const FIRST = 20_000;
const COUNT = 10_000;

/**
 * The port of an add-on: the one it asks for or has, however busy it is now (a recorded port never changes by itself);
 * for a new add-on the first one from its own place on that no other add-on has and nobody listens on. `home` is the
 * data home's id, so that two users' add-ons of one name start apart. Fails where an address that is to be new to the
 * add-on is not this machine's: once that is recorded, the running server would be stopped for one that can't start.
 */
export async function choosePort(
  layout: HomeLayout,
  home: string,
  name: string,
  bind: string,
  wanted: number | undefined,
): Promise<number> {
  await requireAddresses(layout, name, bind);
  const taken = await recordedPorts(layout, name);
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
    if (!taken.has(port) && (await isFreeOnAll(bind, port))) return port;
  }
  throw new Failure({
    code: "no-free-port",
    operation: "give a port to",
    subject: name,
    cause: `all ports from ${FIRST} to ${FIRST + COUNT - 1} are taken`,
    hint: "Set the input port",
  });
}

async function isFreeOnAll(bind: string, port: number): Promise<boolean> {
  for (const address of bindAddresses(bind)) if (!(await isPortFree(address, port))) return false;
  return true;
}

async function requireAddresses(layout: HomeLayout, name: string, bind: string): Promise<void> {
  const present = bindAddresses((await readRecord(layout, name))?.server.wish.bind ?? "");
  const misspelt = bindProblem(bind);
  if (misspelt !== undefined) throw cannotListen(name, misspelt);
  for (const address of bindAddresses(bind)) {
    const problem = present.includes(address) ? undefined : await listenProblem(address, 0);
    if (problem !== undefined) throw cannotListen(name, problem.why);
  }
}

function cannotListen(name: string, cause: string): Failure {
  return new Failure({
    code: "cannot-listen",
    operation: "give an address to",
    subject: name,
    cause,
    hint: "Set the input bind to addresses of this machine",
  });
}
