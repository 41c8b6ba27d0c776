import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { open, readFile, stat } from "node:fs/promises";
import type { Copying } from "../../core/access";
import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import { renderServer, type LeaderAddress } from "../../core/render";
import { serverSettings } from "../../core/settings";
import type { Task } from "../../core/task";
import type { AddonLayout } from "../../platforms/local/home";
import { connectServer } from "../connections/connect-server";
import { writeDurably } from "../../system/files";
import { identify, type ProcessIdentity } from "../../system/processes";

const POLL_MS = 25;

/** Differs exactly when a running server must be restarted to become what the record says. */
export function launchFingerprint(record: AddonRecord): string {
  const needsRestart = serverSettings(record).filter((setting) => setting.apply === "restart");
  const text = JSON.stringify([record.server.wish.version, needsRestart]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/**
 * Renders the server's files, starts it in a session of its own, so that it outlives the agent, and waits until it has
 * loaded its data and answers.
 */
export async function launch(
  files: AddonLayout,
  executable: string,
  record: AddonRecord,
  leader: LeaderAddress | undefined,
  copying: Copying,
  task: Task,
  /** Hears of the process before it answers. */
  onSpawn: (spawned: ProcessIdentity) => Promise<void>,
): Promise<ProcessIdentity> {
  const { conf, acl } = renderServer({ record, leader, copying, dataDir: files.data, aclFile: files.acl });
  await writeDurably(files.config, conf, 0o600);
  await writeDurably(files.acl, acl, 0o600);
  const logStart = await sizeOf(files.log);

  const output = await open(files.log, "a", 0o600);
  const server = spawn(executable, [files.config], {
    detached: true,
    stdio: ["ignore", output.fd, output.fd],
    cwd: files.data,
    // Its log has local times otherwise, an hour of which comes twice each year.
    env: { PATH: process.env["PATH"], LANG: process.env["LANG"], TZ: "UTC0" },
  });
  await output.close();
  const ended = new AbortController();
  server.once("error", (error) => {
    ended.abort(error);
  });
  server.once("exit", (code, signal) => {
    ended.abort(new Error(`it ended with ${signal ?? `exit code ${code}`}`));
  });
  server.unref();
  if (server.pid === undefined) await once(ended.signal, "abort");

  const identity = server.pid === undefined ? undefined : await identify(server.pid);
  if (identity !== undefined) await onSpawn(identity);
  while (identity !== undefined && !ended.signal.aborted) {
    if ((await answers(record, task)) && !ended.signal.aborted) return identity;
    await task.clock.sleep(POLL_MS, task.signal);
  }
  throw new Failure({
    code: "server-failed",
    operation: "start the server of",
    subject: record.name,
    cause: `${String(ended.signal.reason ?? "it ended at once")}; its log ends with: ${await logTail(files.log, logStart)}`,
    hint: `Read ${files.log}`,
  });
}

/** A server that is loading answers PING with an error: it is up once its data are. */
async function answers(record: AddonRecord, task: Task): Promise<boolean> {
  try {
    await using access = await connectServer(record, task);
    await access.command("PING");
    return true;
  } catch (error) {
    task.signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    if (error.code === "loading") task.progress({ message: "the server is loading its data" });
    return false;
  }
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (found) => found.size,
    () => 0,
  );
}

async function logTail(path: string, from: number): Promise<string> {
  const text = (await readFile(path).catch(() => Buffer.alloc(0))).subarray(from).toString("utf8");
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  // Redis ends with a line that says only that it is leaving; what it is leaving for stands before it.
  return lines.slice(-3).join(" | ") || "nothing";
}
