import { spawn } from "node:child_process";
import { closeSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { agentStatus, stopAgent } from "../../provider/operations/agent";
import { inspect } from "../../provider/operations/inspect";
import { localPlatform } from "../../provider/platforms/local/local-platform";
import { makeTestHome, type TestHome } from "./data-home";
import { inSmallDisk, seenBy } from "./full-disk";
import { until } from "./redis-server";

/** It copies the whole program there first. */
const START_DEADLINE_MS = 60_000;
const CLI = join(import.meta.dirname, "../../dist/provider/cli/main.js");

/** A data home whose disk can be filled up. */
export interface SmallHome extends TestHome {
  /** Leaves no more than so many bytes of its disk free. At once: what is told of a step goes on meanwhile. */
  fill(freeBytes?: number): void;
  /** Takes back what `fill` has put there. */
  unfill(): void;
}

/**
 * A data home on a disk of its own, whose agent sees nothing else there: its servers and jobs are in the agent's mount
 * namespace. `path` is the home as this process sees it. The agent must not be ended before the home: the next one would
 * run outside. Needs the tool `smallDisk`.
 */
export async function makeSmallHome(sizeMiB: number): Promise<SmallHome> {
  const outer = await makeTestHome();
  const folder = outer.path;
  const [command, ...args] = inSmallDisk({ folder, sizeMiB });
  // `cat` keeps the disk until we end, however that is.
  const starting = [
    "sh",
    "-c",
    '"$@" && echo started >&2 && exec cat',
    "sh",
    process.execPath,
    CLI,
    "agent",
    "start",
  ];
  const holder = spawn(command, [...args, ...starting], {
    stdio: ["pipe", "ignore", "pipe"],
    env: { ...process.env, REDIS_ADDON_HOME: folder },
  });
  let told = "";
  holder.stderr.on("data", (chunk: Buffer) => (told += chunk.toString()));
  const gone = new Promise((resolve) => holder.once("close", resolve));
  const end = async () => {
    holder.stdin.end();
    await gone;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await until(
      "an agent on a small disk",
      () => {
        if (holder.exitCode !== null) throw new Error(`no agent was started:\n${told}`);
        return told.includes("started");
      },
      START_DEADLINE_MS,
    );
  } catch (error) {
    await end();
    throw error;
  }
  const path = seenBy(holder.pid ?? 0, folder);
  const filler = join(path, "filler");
  const platform = localPlatform(path);
  return {
    path,
    platform,
    get task() {
      return outer.task;
    },
    messages: outer.messages,
    agentPid: async () => required((await agentStatus(path)).agent?.pid, "agent"),
    serverPid: async (name) => {
      const server = (await inspect(platform, name, outer.task))?.server;
      return required(server?.state === "running" ? server.pid : undefined, `server of ${name}`);
    },
    fill(freeBytes = 0) {
      const file = openSync(filler, "a");
      try {
        for (;;) {
          const { bavail, bsize } = statfsSync(path);
          const spare = bavail * bsize - freeBytes;
          if (spare <= 0) return;
          writeSync(file, Buffer.alloc(Math.min(spare, 4 * 1024 * 1024)));
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      } finally {
        closeSync(file);
      }
    },
    unfill: () => {
      rmSync(filler, { force: true });
    },
    async [Symbol.asyncDispose]() {
      rmSync(filler, { force: true });
      try {
        await stopAgent(path, false, outer.task);
      } finally {
        await end();
      }
    },
  };
}

function required(pid: number | undefined, what: string): number {
  if (pid === undefined) throw new Error(`no ${what} runs on the small disk`);
  return pid;
}
