import { connect } from "node:net";
import { Failure } from "../../core/errors";
import type { Secret } from "../../core/secret";
import { replyReader, type ReplyReader } from "./reader";

export interface Leader {
  readonly host: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: Secret | undefined;
}

/** One connection that speaks to a leader as its replica would: a command, its reply, the next command. */
export interface LeaderLink {
  readonly reader: ReplyReader;
  /** Sends a command and awaits its reply: the text without its type, or a refusal. Keep-alive newlines are skipped. */
  ask(command: readonly string[]): Promise<Reply>;
  close(): void;
}

export type Reply =
  | { readonly kind: "ok"; readonly text: string }
  /** Redis's own words; the first is its code: `NOPERM`, `WRONGPASS`, `ERR`. */
  | { readonly kind: "refused"; readonly text: string };

const CONNECT_TIMEOUT_MS = 10_000;
/** A leader that prepares a snapshot sends a newline each second; one that is silent for so long is gone. */
const SILENCE_TIMEOUT_MS = 60_000;
const OPERATION = "read a snapshot from";

export async function openLink(
  leader: Leader,
  signal: AbortSignal,
  silenceMs = SILENCE_TIMEOUT_MS,
): Promise<LeaderLink> {
  signal.throwIfAborted();
  const socket = connect({ host: leader.host, port: leader.port, noDelay: true, keepAlive: true });
  const onAbort = () => socket.destroy(asError(signal.reason));
  signal.addEventListener("abort", onAbort, { once: true });
  socket.once("close", () => signal.removeEventListener("abort", onAbort));
  // Errors reach whoever reads; without this one that comes in between would end the process.
  socket.on("error", () => undefined);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error("it did not answer within 10 s")));
      socket.once("connect", resolve);
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("the connection was closed")));
    });
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(leader, error);
  }

  socket.removeAllListeners("timeout");
  socket.on("timeout", () => socket.destroy(new Error(`it sent nothing for ${silenceMs / 1000} s`)));
  const incoming = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const reader = replyReader({
    async next() {
      // Only while we wait: the socket is idle as well while a slow store makes us pause it.
      socket.setTimeout(silenceMs);
      try {
        return await incoming.next();
      } catch (error) {
        signal.throwIfAborted();
        throw unreachable(leader, error);
      } finally {
        socket.setTimeout(0);
      }
    },
  });

  return {
    reader,
    async ask(command) {
      socket.write(encode(command));
      return readReply(leader, reader);
    },
    close: () => socket.destroy(),
  };
}

async function readReply(leader: Leader, reader: ReplyReader): Promise<Reply> {
  for (;;) {
    const line = await reader.line();
    if (line === undefined) throw unreachable(leader, new Error("it closed the connection"));
    if (line === "") continue;
    if (line.startsWith("-")) return { kind: "refused", text: line.slice(1) };
    if (line.startsWith("+")) return { kind: "ok", text: line.slice(1) };
    const bulk = /^\$(\d{1,9})$/.exec(line)?.[1];
    if (bulk !== undefined) return { kind: "ok", text: await readBulk(leader, reader, Number(bulk)) };
    throw leaderFailure(leader, "no-redis", "its answer is no Redis reply", {
      hint: "Check host and port: something else may be listening there, or it may want TLS",
    });
  }
}

async function readBulk(leader: Leader, reader: ReplyReader, sizeBytes: number): Promise<string> {
  const parts: Buffer[] = [];
  for (let missing = sizeBytes + 2; missing > 0;) {
    const part = await reader.some(missing);
    if (part === undefined) throw unreachable(leader, new Error("it closed the connection"));
    parts.push(part);
    missing -= part.length;
  }
  return Buffer.concat(parts).toString("utf8", 0, sizeBytes);
}

function encode(command: readonly string[]): string {
  const parts = command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
  return `*${command.length}\r\n${parts.join("")}`;
}

export function leaderFailure(
  leader: Leader,
  code: string,
  cause: string,
  more: { hint?: string; transient?: boolean } = {},
): Failure {
  return new Failure({
    code,
    operation: OPERATION,
    subject: `${leader.host}:${leader.port}`,
    cause,
    ...more,
  });
}

function unreachable(leader: Leader, error: unknown): Error {
  if (error instanceof Failure) return error;
  return leaderFailure(leader, "leader-unreachable", asError(error).message, {
    hint: "Check that the server is running and can be reached from here",
    transient: true,
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
