import { Readable } from "node:stream";
import type { Failure } from "../../core/errors";
import type { Progress, Task } from "../../core/task";
import { parseServerInfo, type ServerInfo } from "./info";
import { type Leader, leaderFailure, type LeaderLink, openLink, type Reply } from "./link";
import { parseSnapshotHeader, snapshotBytes, type SnapshotHeader } from "./reader";

export interface Snapshot {
  readonly replicationId: string;
  /** The data are exactly those of the stream `replicationId` at this offset. */
  readonly offset: number;
  /** When the leader announced the offset; milliseconds since the Unix epoch. */
  readonly takenAt: number;
  /** Unknown where the leader sends it straight from memory. */
  readonly sizeBytes: number | undefined;
  /** What INFO said before; undefined where the user may not ask. */
  readonly info: ServerInfo | undefined;
  /** The RDB's bytes, exactly. It fails rather than end early. Destroying it closes the connection. */
  readonly stream: Readable;
}

export interface SnapshotOptions {
  /** From memory, without a file on the leader; for leaders that aren't ours. */
  readonly diskless?: boolean | undefined;
  /** How long the leader may be silent. */
  readonly silenceMs?: number;
}

/** The most that a waiting person learns from; more would fill a job's output. */
const PROGRESS_EVERY_MS = 250;

/**
 * Asks a server for one snapshot of its data over the replication protocol. `rdb-only`: the leader keeps no buffer for
 * us and does not count us as a replica. It needs a user with psync and replconf (and info, for what the manifest tells
 * besides), and no access to files.
 */
export async function openSnapshot(
  leader: Leader,
  task: Task,
  { diskless = false, silenceMs }: SnapshotOptions = {},
): Promise<Snapshot> {
  task.progress({ message: `connecting to ${leader.host}:${leader.port}` });
  const link = await openLink(leader, task.signal, silenceMs);
  try {
    await authenticate(leader, link);
    const info = await link.ask(["INFO"]);
    // Each REPLCONF is sent alone and its reply awaited: a server that refuses one must not get the next.
    await must(leader, link, ["REPLCONF", "rdb-only", "1"]);
    if (diskless) await must(leader, link, ["REPLCONF", "capa", "eof"]);
    task.progress({ message: "waiting for the leader's snapshot" });
    const full = await must(leader, link, ["PSYNC", "?", "-1"]);
    const [, replicationId, offset] = /^FULLRESYNC (\S+) (\d+)$/.exec(full) ?? [];
    if (replicationId === undefined || offset === undefined) throw unexpected(leader, full);
    const takenAt = task.clock.now();
    const header = await snapshotHeader(leader, link);
    const sizeBytes = header.kind === "sized" ? header.sizeBytes : undefined;
    return {
      replicationId,
      offset: Number(offset),
      takenAt,
      sizeBytes,
      info: info.kind === "ok" ? parseServerInfo(info.text) : undefined,
      stream: snapshotStream(leader, link, header, task),
    };
  } catch (error) {
    link.close();
    throw error;
  }
}

async function authenticate(leader: Leader, link: LeaderLink): Promise<void> {
  if (leader.password === undefined) return;
  const user = leader.username === undefined ? [] : [leader.username];
  const reply = await link.ask(["AUTH", ...user, leader.password.reveal()]);
  if (reply.kind === "refused") throw refused(leader, "AUTH", reply);
}

async function must(leader: Leader, link: LeaderLink, command: readonly string[]): Promise<string> {
  const reply = await link.ask(command);
  if (reply.kind === "refused") throw refused(leader, command[0] ?? "", reply);
  return reply.text;
}

async function snapshotHeader(leader: Leader, link: LeaderLink): Promise<SnapshotHeader> {
  for (;;) {
    const line = await link.reader.line();
    if (line === undefined)
      throw leaderFailure(leader, "no-snapshot", "it closed the connection before its snapshot", {
        hint: "Its log says why: a full disk or too little memory for a fork are the usual causes",
        transient: true,
      });
    if (line === "") continue;
    if (line.startsWith("-")) throw refused(leader, "PSYNC", { kind: "refused", text: line.slice(1) });
    const header = parseSnapshotHeader(line);
    if (header === undefined) throw unexpected(leader, line);
    return header;
  }
}

function snapshotStream(leader: Leader, link: LeaderLink, header: SnapshotHeader, task: Task): Readable {
  const total = header.kind === "sized" ? { totalBytes: header.sizeBytes } : {};
  const cutShort = (doneBytes: number) =>
    leaderFailure(leader, "connection-cut", `the connection ended after ${sizeOf(doneBytes, header)}`, {
      transient: true,
    });
  async function* chunks() {
    let doneBytes = 0;
    let reportedAt = -Infinity;
    const report = (progress: Progress) => task.progress(progress);
    const message = "receiving the snapshot";
    for await (const chunk of snapshotBytes(link.reader, header, cutShort)) {
      doneBytes += chunk.length;
      const now = task.clock.now();
      if (now - reportedAt >= PROGRESS_EVERY_MS) {
        reportedAt = now;
        report({ message, doneBytes, ...total });
      }
      yield chunk;
    }
    report({ message, doneBytes, ...total });
  }
  const stream = Readable.from(chunks(), { objectMode: false });
  stream.once("close", () => link.close());
  return stream;
}

function sizeOf(doneBytes: number, header: SnapshotHeader): string {
  return header.kind === "sized" ? `${doneBytes} of ${header.sizeBytes} bytes` : `${doneBytes} bytes`;
}

function refused(leader: Leader, command: string, { text }: Reply): Failure {
  const code = text.split(" ", 1)[0] ?? "";
  switch (code) {
    case "WRONGPASS":
      return leaderFailure(leader, "wrong-password", "it refuses the user name or password");
    case "NOAUTH":
      return leaderFailure(leader, "wrong-password", "it asks for a password and none was given");
    case "NOPERM":
      return leaderFailure(leader, "not-permitted", `the user may not run ${command}`, {
        hint: "Allow the user +psync +replconf +info",
      });
    case "LOADING":
    case "BUSY":
    case "NOMASTERLINK":
    case "MASTERDOWN":
      return leaderFailure(leader, "leader-not-ready", `it answers ${command} with: ${text}`, {
        transient: true,
      });
    default:
      // Redis repeats the arguments of a command that it doesn't know: of AUTH only the error's code may be shown.
      if (command === "AUTH")
        return leaderFailure(leader, "wrong-password", `it refuses to log in (${code})`);
      return leaderFailure(leader, "refused", `it answers ${command} with: ${text}`);
  }
}

function unexpected(leader: Leader, answer: string): Failure {
  return leaderFailure(
    leader,
    "unexpected-answer",
    `it answers PSYNC with ${JSON.stringify(answer.slice(0, 100))}`,
  );
}
