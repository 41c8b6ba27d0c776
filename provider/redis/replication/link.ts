import { Failure } from "../../core/errors";
import { type Connect, connectionFailure, connectToLeader } from "./connect";
import { asError, type Leader, leaderFailure } from "./leader";
import { NoReply, replyReader, type ReplyReader } from "./reader";
import { readReply, type Reply } from "./reply";

/** One connection that speaks to a leader as its replica would: a command, its reply, the next command. */
export interface LeaderLink {
  /** Sends a command and awaits its reply. `onNewline` is told of each keep-alive newline meanwhile. */
  ask(command: readonly string[], onNewline?: () => void): Promise<Reply>;
  /** The next line, as it is; undefined where the connection ended. */
  line(): Promise<string | undefined>;
  readonly reader: ReplyReader;
  close(): void;
}

export interface LinkOptions {
  /** How long the leader may be silent. One that prepares a snapshot sends a newline each second. */
  readonly silenceMs?: number | undefined;
  readonly connect?: Connect | undefined;
}

const SILENCE_MS = 60_000;

export async function openLink(
  leader: Leader,
  signal: AbortSignal,
  { silenceMs = SILENCE_MS, connect = connectToLeader }: LinkOptions = {},
): Promise<LeaderLink> {
  const connection = await connect(leader, signal);
  const { stream } = connection;
  const onAbort = () => stream.destroy(asError(signal.reason));
  signal.addEventListener("abort", onAbort, { once: true });
  stream.once("close", () => signal.removeEventListener("abort", onAbort));
  // Errors reach whoever reads; without this one that comes in between would end the process.
  stream.on("error", () => undefined);
  if (signal.aborted) onAbort();

  const incoming = connection.incoming ?? (stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>);
  const reader = replyReader({
    async next() {
      // Only while we wait: the connection is idle as well while a slow store makes us pause it.
      connection.allowSilence(silenceMs);
      try {
        return await incoming.next();
      } catch (error) {
        signal.throwIfAborted();
        throw connectionFailure(leader, asError(error));
      } finally {
        connection.allowSilence(0);
      }
    },
  });

  let answered = false;
  return {
    reader,
    async ask(command, onNewline = () => undefined) {
      stream.write(encode(command));
      try {
        const reply = await readReply(reader, onNewline);
        if (reply === undefined) throw await hungUp(leader, reader);
        answered = true;
        return reply;
      } catch (error) {
        if (error instanceof NoReply) throw noRedis(leader, error);
        throw answered ? error : neverAnswered(leader, error);
      }
    },
    async line() {
      try {
        return await reader.line();
      } catch (error) {
        throw error instanceof NoReply ? noRedis(leader, error) : error;
      }
    },
    close: () => stream.destroy(),
  };
}

function encode(command: readonly string[]): string {
  const parts = command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
  return `*${command.length}\r\n${parts.join("")}`;
}

async function hungUp(leader: Leader, reader: ReplyReader): Promise<Failure> {
  const unfinished = await reader.some(ALERT.length);
  return unfinished?.toString("latin1") === ALERT
    ? tlsNeeded(leader)
    : connectionFailure(leader, new Error("it closed the connection"));
}

/** What a server that wants TLS says, before it hangs up, to one that doesn't: an alert of some version 3. */
const ALERT = "\x15\x03";

function tlsNeeded(leader: Leader): Failure {
  return leaderFailure(leader, "tls-needed", "this port wants TLS", {
    hint: "Connect by TLS: rediss:// instead of redis://",
  });
}

/** The same failure; the hint is what keeps a server from answering at all. */
function neverAnswered(leader: Leader, error: unknown): unknown {
  if (!(error instanceof Failure && error.code === "leader-unreachable")) return error;
  const hint =
    leader.tls === undefined
      ? "Check that the server is running, and whether this port wants TLS"
      : "Check that the server is running, and whether it asks for a client's certificate";
  return leaderFailure(leader, error.code, error.cause, { hint, transient: true });
}

function noRedis(leader: Leader, { line }: NoReply): Failure {
  if (line.startsWith(ALERT)) return tlsNeeded(leader);
  return leaderFailure(leader, "no-redis", "its answer is no Redis reply", {
    hint: "Check host and port: something else may be listening there, or it may want TLS",
  });
}
