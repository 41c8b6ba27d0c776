import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { findRedisServer, freePort } from "./redis-server";

const START_ATTEMPTS = 5;
const START_DEADLINE_MS = 20_000;

/** A redis-server of a test's own, in a folder of its own; disposing it ends the process and removes the folder. */
export interface LocalRedis extends AsyncDisposable {
  readonly port: number;
  readonly dir: string;
  readonly log: () => string;
  /** Resolves once the process has ended. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again after a kill: on the same port and data, with the same files unless others are given. */
  start(files?: ServerFiles): Promise<void>;
}

export interface ServerFiles {
  readonly conf: string;
  readonly acl?: string;
}

export interface Place {
  readonly port: number;
  readonly dataDir: string;
  readonly aclFile: string;
}

export interface LocalRedisOptions {
  /** The executable; absent: `findRedisServer()`. */
  readonly executable?: string;
  /** The beginning of the command line that runs it, told its folder; absent: it is run directly. */
  readonly prefix?: (dir: string) => readonly string[];
}

export async function startLocalRedis(
  files: (place: Place) => ServerFiles,
  options: LocalRedisOptions = {},
): Promise<LocalRedis> {
  for (let attempt = 1; ; attempt++) {
    const server = await prepare(files, options);
    try {
      await server.start();
      return server;
    } catch (error) {
      const taken = server.log().includes("Address already in use");
      await server[Symbol.asyncDispose]();
      // Another test may have taken the port between our finding it and our using it.
      if (!taken || attempt === START_ATTEMPTS) throw error;
    }
  }
}

async function prepare(
  files: (place: Place) => ServerFiles,
  { executable, prefix = () => [] }: LocalRedisOptions,
): Promise<LocalRedis> {
  const dir = await mkdtemp(join(tmpdir(), "redis-addon-test-"));
  await chmod(dir, 0o700);
  const port = await freePort();
  const aclFile = join(dir, "users.acl");
  const place = { port, dataDir: dir, aclFile };
  const confFile = join(dir, "redis.conf");
  let child: ChildProcess | undefined;
  let log = "";
  const kill = async (signal: NodeJS.Signals) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  };
  const start = async (wanted: ServerFiles = files(place)) => {
    await writeFile(confFile, wanted.conf, { mode: 0o600 });
    if (wanted.acl !== undefined) await writeFile(aclFile, wanted.acl, { mode: 0o600 });
    log = "";
    const [command, ...args] = [...prefix(dir), executable ?? findRedisServer(), confFile];
    const started = spawn(command, args, { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
    child = started;
    await new Promise<void>((resolve, reject) => {
      const deadline = setTimeout(
        () => reject(new Error(`redis-server is not ready: ${log}`)),
        START_DEADLINE_MS,
      );
      const settle = (act: () => void) => {
        clearTimeout(deadline);
        act();
      };
      const read = (chunk: Buffer) => {
        log += chunk.toString();
        if (/Ready to accept connections/.test(log)) settle(resolve);
      };
      started.stdout.on("data", read);
      started.stderr.on("data", read);
      started.once("error", (error) => settle(() => reject(error)));
      started.once("exit", (code) =>
        settle(() => reject(new Error(`redis-server ended with ${code}: ${log}`))),
      );
    });
  };
  const dispose = async () => {
    await kill("SIGKILL");
    await rm(dir, { recursive: true, force: true });
  };
  // A test that runs out of time never leaves its `await using`, and vitest ends its worker without an exit.
  onTestFinished(dispose);
  return {
    port,
    dir,
    log: () => log,
    kill,
    start,
    [Symbol.asyncDispose]: dispose,
  };
}
