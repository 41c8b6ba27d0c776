import { realpath } from "node:fs/promises";
import type { Task } from "../core/task";
import type { HomeLayout } from "../platforms/local/home";
import { connectServer } from "./connect-server";
import { readProcessState } from "../platforms/local/process-state";
import { readRecord } from "../platforms/local/records";
import { executableOf, identify, isAlive, type ProcessIdentity } from "../system/processes";
import { launchFingerprint } from "./launch";

/** On the recorded port may listen a stranger that never answers. */
const STRANGER_TIMEOUT_MS = 1_000;

/**
 * The add-on's server that an earlier agent left running; absent: none runs.
 *
 * A process that was written down counts when its start time and executable are still what they were: its pid alone may
 * belong to anybody by now. One that wasn't (the agent died between the start and the note) is found by asking the
 * recorded port as our administrator where its data lie.
 */
export async function findOwnProcess(
  layout: HomeLayout,
  name: string,
  task: Task,
): Promise<(ProcessIdentity & { port: number; fingerprint: string }) | undefined> {
  const files = layout.addon(name);
  const known = await readProcessState(files);
  if (known?.state === "running" && (await isAlive(known)) && (await isKeptServer(layout, known.pid))) {
    const { pid, startedAt, port, fingerprint } = known;
    return { pid, startedAt, port, fingerprint };
  }
  const record = await readRecord(layout, name);
  if (record === undefined) return undefined;
  try {
    await using access = await connectServer(record, task, STRANGER_TIMEOUT_MS);
    const dir = (await access.config("dir")).get("dir");
    if (dir === undefined || (await realpath(dir)) !== (await realpath(files.data))) return undefined;
    const identity = await identify(Number((await access.info()).get("process_id")));
    if (identity === undefined) return undefined;
    return { ...identity, port: record.server.wish.port, fingerprint: launchFingerprint(record) };
  } catch {
    task.signal.throwIfAborted();
    return undefined;
  }
}

async function isKeptServer(layout: HomeLayout, pid: number): Promise<boolean> {
  const executable = await executableOf(pid);
  if (executable === undefined) return true;
  // Linux appends this once the file was replaced; the process still runs the old one.
  const path = executable.replace(/ \(deleted\)$/, "");
  const kept = await realpath(layout.servers).catch(() => layout.servers);
  return path.startsWith(kept) || /\/(redis|valkey)-server$/.test(path);
}
