import { byteProgress } from "../../core/byte-progress";
import type { Task } from "../../core/task";
import { askPlace, type Room } from "./ask-place";
import type { Connect } from "./connect";
import type { ServerInfo } from "./info";
import { type Leader, leaderFailure } from "./leader";
import { type LeaderLink, openLink } from "./link";
import { parseSnapshotHeader, snapshotBytes, type SnapshotHeader } from "./reader";
import { refusal, unexpected } from "./refusals";
import { utf8 } from "./reply";

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
  /** The RDB's bytes, exactly, each chunk good until the next is asked for. It fails rather than end early. */
  readonly content: AsyncIterable<Buffer>;
  /** To be called in any case: it ends the connection. */
  close(): void;
}

export interface SnapshotOptions extends Room {
  /** How long the leader may be silent. */
  readonly silenceMs?: number | undefined;
  /** Absent: TCP, and TLS where the leader says so. */
  readonly connect?: Connect | undefined;
}

const WAITING = "waiting for the leader's snapshot";

/**
 * Asks a server for one snapshot of its data over the replication protocol. `rdb-only`: the leader keeps no buffer for
 * us and does not count us as a replica. It needs a user with psync and replconf (and info, for what the manifest tells
 * besides), and no access to files. Throws a Failure whose code says whether it is worth waiting: `leader-loading`,
 * `leader-busy`, `leader-without-link`, `leader-not-listening`.
 */
export async function openSnapshot(
  leader: Leader,
  task: Task,
  { silenceMs, connect, ...room }: SnapshotOptions = {},
): Promise<Snapshot> {
  task.progress({ message: `connecting to ${leader.host}:${leader.port}` });
  const link = await openLink(leader, task.signal, { silenceMs, connect });
  try {
    await authenticate(leader, link);
    const { place, info } = await askPlace(leader, link, room);
    // Each REPLCONF is sent alone and its reply awaited: a server that refuses one must not get the next.
    await must(leader, link, ["REPLCONF", "rdb-only", "1"]);
    if (place === "memory") await must(leader, link, ["REPLCONF", "capa", "eof"]);
    const onNewline = tellWaiting(task);
    const { replicationId, offset } = await fullResync(leader, link, onNewline);
    const takenAt = task.clock.now();
    const header = await snapshotHeader(leader, link, onNewline);
    const expected =
      header.kind === "sized" ? { totalBytes: header.sizeBytes } : { estimatedBytes: info?.datasetBytes };
    return {
      replicationId,
      offset,
      takenAt,
      sizeBytes: expected.totalBytes,
      info,
      content: contentOf(leader, link, header, expected, task),
      close: () => link.close(),
    };
  } catch (error) {
    link.close();
    throw error;
  }
}

async function authenticate(leader: Leader, link: LeaderLink): Promise<void> {
  if (leader.password === undefined) return;
  const user = leader.username === undefined ? [] : [leader.username];
  await must(leader, link, ["AUTH", ...user, leader.password.reveal()]);
}

async function must(leader: Leader, link: LeaderLink, command: readonly string[]): Promise<void> {
  const answer = await text(leader, link, command);
  if (answer !== "OK") throw unexpected(leader, command[0] ?? "", answer);
}

async function text(
  leader: Leader,
  link: LeaderLink,
  command: readonly string[],
  onNewline?: () => void,
): Promise<string> {
  const [name = ""] = command;
  const reply = await link.ask(command, onNewline);
  if (reply.kind === "refused") throw refusal(leader, name, reply.text);
  if (reply.kind !== "text") throw unexpected(leader, name, "what is no text");
  return reply.text;
}

/** Where its snapshot comes from memory the leader answers only once it starts: until then it sends newlines. */
async function fullResync(leader: Leader, link: LeaderLink, onNewline: () => void) {
  const answer = await text(leader, link, ["PSYNC", "?", "-1"], onNewline);
  const [, replicationId, digits] = /^FULLRESYNC (\w+) (\d+)$/.exec(answer) ?? [];
  const offset = Number(digits);
  if (replicationId === undefined || !Number.isSafeInteger(offset)) throw unexpected(leader, "PSYNC", answer);
  return { replicationId, offset };
}

/** Says that we wait, and with each of the leader's newlines (one a second) for how long. */
function tellWaiting(task: Task): () => void {
  const since = task.clock.now();
  task.progress({ message: WAITING });
  return () => {
    const seconds = Math.floor((task.clock.now() - since) / 1000);
    if (seconds > 0) task.progress({ message: `${WAITING} (${seconds} s)` });
  };
}

async function snapshotHeader(
  leader: Leader,
  link: LeaderLink,
  onNewline: () => void,
): Promise<SnapshotHeader> {
  for (;;) {
    const line = await link.line();
    if (line === undefined)
      throw leaderFailure(leader, "no-snapshot", "it closed the connection before its snapshot", {
        hint: "Its log says why: a full disk or too little memory for a fork are the usual causes",
        transient: true,
      });
    if (line.startsWith("-")) throw refusal(leader, "PSYNC", utf8(line.slice(1)));
    const header = parseSnapshotHeader(line);
    if (header !== undefined) return header;
    if (line !== "") throw unexpected(leader, "PSYNC", utf8(line));
    onNewline();
  }
}

async function* contentOf(
  leader: Leader,
  link: LeaderLink,
  header: SnapshotHeader,
  expected: { readonly totalBytes?: number; readonly estimatedBytes?: number | undefined },
  task: Task,
): AsyncGenerator<Buffer, void> {
  const cutShort = (doneBytes: number) =>
    leaderFailure(leader, "connection-cut", `the connection ended after ${sizeOf(doneBytes, header)}`, {
      transient: true,
    });
  const progress = byteProgress(task, "receiving the snapshot", expected);
  for await (const chunk of snapshotBytes(link.reader, header, cutShort)) {
    progress.add(chunk.length);
    yield chunk;
  }
  progress.end();
  link.close();
}

function sizeOf(doneBytes: number, header: SnapshotHeader): string {
  return header.kind === "sized" ? `${doneBytes} of ${header.sizeBytes} bytes` : `${doneBytes} bytes`;
}
