import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, until } from "./redis-server";

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to a PATH and a HOME in the server's own folder; nothing else of our environment is passed on. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface ServerProcess extends AsyncDisposable {
  readonly port: number;
  /** A folder of its own, removed at the end; absolute. */
  readonly folder: string;
  readonly pid: number;
  /** What it printed so far. */
  log(): string;
}

const PORT_ATTEMPTS = 5;

/**
 * Starts a server that speaks HTTP on a loopback port and waits until it answers anything. It ends with the test
 * process, however that ends.
 * @param command is told the port to listen on and the server's folder
 */
export async function startServerProcess(
  name: string,
  command: (port: number, folder: string) => ServerCommand | Promise<ServerCommand>,
): Promise<ServerProcess> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), `${name}-`));
    const server = launch(name, port, folder, await command(port, folder));
    try {
      await until(`${name} on port ${port}`, async () => !server.isRunning() || (await answers(port)));
      if (server.isRunning()) return server;
      throw new Error(`${name} ended at once:\n${server.log()}`);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      // Between finding a free port and using it another test may take it.
      if (attempt === PORT_ATTEMPTS || !/already in use/i.test(server.log())) throw error;
    }
  }
}

function launch(name: string, port: number, folder: string, { command, args, env }: ServerCommand) {
  const [program = command, ...rest] = [...endsWithUs(), command, ...args];
  const child = spawn(program, rest, {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", HOME: folder, ...env },
  });
  let output = "";
  let failed = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  }
  child.once("error", (error) => ((failed = true), (output += `${name}: ${error.message}`)));
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  const isRunning = () => !failed && hasNotEnded(child);
  return {
    port,
    folder,
    pid: child.pid ?? 0,
    log: () => output,
    isRunning,
    async [Symbol.asyncDispose]() {
      if (isRunning()) {
        const ended = once(child, "exit");
        child.kill("SIGKILL");
        await ended;
      }
      process.removeListener("exit", killWithUs);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Where Linux can do it, the kernel ends the server when we end: a worker that is killed runs no handlers. */
function endsWithUs(): readonly string[] {
  const setpriv = "/usr/bin/setpriv";
  return existsSync(setpriv) ? [setpriv, "--pdeathsig", "KILL", "--"] : [];
}

const hasNotEnded = (child: ChildProcess) => child.exitCode === null && child.signalCode === null;

async function answers(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
  await response?.body?.cancel();
  return response !== undefined;
}
