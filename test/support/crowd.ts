import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface CrowdOptions {
  readonly port: number;
  readonly connections: number;
  /** Absent: they never log in, and say nothing. */
  readonly password?: string;
  /** They subscribe to a channel instead of sending a PING. */
  readonly subscribe?: boolean;
  /** Until one that was closed or refused is made again. */
  readonly pauseMs?: number;
}

interface CrowdCount {
  readonly open: number;
  /** Ever. */
  readonly refused: number;
  /** Ever. */
  readonly closed: number;
}

export interface Crowd extends AsyncDisposable {
  count(): Promise<CrowdCount>;
}

/** Many connections that are made again whenever they end, in a process of its own that ends with us. */
export async function startCrowd({ pauseMs = 5, ...options }: CrowdOptions): Promise<Crowd> {
  const child = spawn(process.execPath, [fileURLToPath(new URL("./crowd-program.mjs", import.meta.url))], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ask = async (line: string): Promise<CrowdCount> => {
    child.stdin.write(`${line}\n`);
    return JSON.parse(String((await lines.next()).value)) as CrowdCount;
  };
  await ask(JSON.stringify({ pauseMs, ...options }));
  return { count: () => ask("count"), [Symbol.asyncDispose]: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}
