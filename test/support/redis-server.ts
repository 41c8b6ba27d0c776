import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Redis } from "ioredis";

export interface RedisServerOptions {
  /** Arguments after the ones that isolate it: `["--appendonly", "yes"]`, or first a configuration file. */
  readonly args?: readonly string[];
  /** A configuration file to start with, relative to `dir`: it goes before every argument. */
  readonly config?: string;
  /** A folder to run in; absent: one of its own, removed at the end. */
  readonly dir?: string;
  /** Where it listens, as one that ran before did; absent: on a port that is free. */
  readonly port?: number;
  /** The executable; absent: `findRedisServer()`. */
  readonly executable?: string;
}

export interface RedisServer extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly dir: string;
  readonly pid: number;
  /** What it printed so far. */
  log(): string;
  /** A connection as the default user without a password; closed with the server. */
  readonly client: Redis;
  /** Another connection; closed with the server. */
  connect(options?: { username?: string; password?: string; db?: number }): Redis;
  /** Ends it, by SIGKILL unless told otherwise, and waits until it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const DEADLINE_MS = 20_000;

/** The redis-server for tests: `$REDIS_SERVER`, the one on the PATH, or the newest that set-up has cached. */
export function findRedisServer(): string {
  const named = process.env["REDIS_SERVER"];
  if (named !== undefined) return named;
  const folders = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    ...globSync(join(homedir(), ".cache/pulumi-redis-addon/redis-*/bin")).sort().toReversed(),
  ];
  const found = folders.map((folder) => join(folder, "redis-server")).find((path) => existsSync(path));
  if (found === undefined) throw new Error("no redis-server: run `npm run setup` first");
  return found;
}

/** A port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Resolves once the condition holds; polls, and fails after the deadline with what it was waiting for. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Starts a real redis-server on a free port and waits until it answers. Use with `await using`. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  for (let attempt = 1; ; attempt++) {
    const server = await tryToStart(options);
    if (server !== "port taken") return server;
    // Between finding a free port and using it another test may take it.
    if (attempt === 5) throw new Error("found no port that stays free");
  }
}

async function tryToStart(options: RedisServerOptions): Promise<RedisServer | "port taken"> {
  const port = options.port ?? (await freePort());
  const ownDir = options.dir === undefined ? await mkdtemp(join(tmpdir(), "redis-server-")) : undefined;
  const dir = options.dir ?? ownDir ?? "";
  const child = spawn(
    options.executable ?? findRedisServer(),
    [
      ...(options.config === undefined ? [] : [options.config]),
      ...["--port", String(port), "--bind", "127.0.0.1", "--daemonize", "no"],
      // By default a leader waits 5 s for more replicas before it sends a snapshot from memory.
      ...["--repl-diskless-sync-delay", "0"],
      ...(options.args ?? []),
    ],
    { cwd: dir, stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"] ?? "" } },
  );
  // A test run that is interrupted runs no disposers.
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const clients: Redis[] = [];

  const stop = async (signal: NodeJS.Signals = "SIGKILL") => {
    for (const client of clients) client.disconnect();
    if (isRunning(child)) {
      child.kill(signal);
      if (isRunning(child)) await once(child, "exit");
    }
    process.removeListener("exit", killWithUs);
  };
  const dispose = async () => {
    await stop();
    if (ownDir !== undefined) await rm(ownDir, { recursive: true, force: true });
  };
  const connect = (settings: { username?: string; password?: string; db?: number } = {}) => {
    const client = new Redis({
      host: "127.0.0.1",
      port,
      retryStrategy: () => null,
      lazyConnect: true,
      ...settings,
    });
    client.on("error", () => undefined);
    clients.push(client);
    return client;
  };

  try {
    // Not before it says so itself: one that asks for a password refuses a PING by NOAUTH also while it loads.
    await until(
      `redis-server on port ${port}`,
      () => !isRunning(child) || output.includes("Ready to accept connections"),
    ).catch((error: unknown) => {
      throw new Error(`it printed: ${output}`, { cause: error });
    });
    if (!isRunning(child)) {
      await dispose();
      if (output.includes("Address already in use")) return "port taken";
      throw new Error(`redis-server ended at once:\n${output}`);
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    host: "127.0.0.1",
    port,
    dir,
    pid: child.pid ?? 0,
    log: () => output,
    client: connect(),
    connect,
    stop,
    [Symbol.asyncDispose]: dispose,
  };
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
