import { connect as connectPlain, type NetConnectOpts, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { Failure } from "../../core/errors";
import { tlsProblem } from "../tls-failures";
import { tlsOptions } from "../tls-options";
import { asError, type Leader, leaderFailure, secretsOf } from "./leader";
import { reusedBuffer } from "./reused-buffer";

/** An open way to a leader, over which nothing was said yet. */
interface Connection {
  readonly stream: Duplex;
  /** What comes, each chunk good until the next is asked for; absent: it is read from the stream. */
  readonly incoming?: AsyncIterator<Buffer>;
  /** How long it may take until the next bytes come, in milliseconds, before the stream is destroyed; 0: for ever. */
  allowSilence(ms: number): void;
}

export type Connect = (leader: Leader, signal: AbortSignal) => Promise<Connection>;

const CONNECT_TIMEOUT_MS = 10_000;

/** Connects by TCP, and by TLS where the leader says so. Throws a Failure, or the signal's reason. */
export const connectToLeader: Connect = async (leader, signal) => {
  signal.throwIfAborted();
  let reached = false;
  let socket: Socket | undefined;
  let incoming: Connection["incoming"];
  try {
    ({ socket, incoming } = openSocket(leader));
    socket.once("connect", () => (reached = true));
    await ready(socket, leader.tls === undefined ? "connect" : "secureConnect", signal);
  } catch (error) {
    socket?.destroy();
    signal.throwIfAborted();
    const cause = asError(error);
    throw connectionFailure(leader, cause, reached);
  }
  const allowSilence = silenceLimit(socket);
  return { stream: socket, allowSilence, ...(incoming === undefined ? {} : { incoming }) };
};

function openSocket({ host, port, tls }: Leader): { socket: Socket; incoming?: AsyncIterator<Buffer> } {
  const address: NetConnectOpts = { host, port, noDelay: true, keepAlive: true };
  if (tls !== undefined) {
    const options = tlsOptions(host, { ...tls, key: tls.key?.reveal() });
    return { socket: connectTls({ ...address, ...options }) };
  }
  const reading = reusedBuffer();
  const socket = connectPlain({ ...address, onread: reading.onread });
  return { socket, incoming: reading.from(socket) };
}

async function ready(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  const onAbort = () => socket.destroy(asError(signal.reason));
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error("it did not answer within 10 s")));
      socket.once(event, resolve);
      socket.on("error", reject);
      socket.once("close", () => reject(new Error("the connection was closed")));
    });
  } finally {
    signal.removeEventListener("abort", onAbort);
    socket.removeAllListeners("timeout");
    socket.setTimeout(0);
  }
}

function silenceLimit(socket: Socket): (ms: number) => void {
  let allowedMs = 0;
  socket.on("timeout", () => socket.destroy(new Error(`it sent nothing for ${allowedMs / 1000} s`)));
  return (ms) => {
    allowedMs = ms;
    socket.setTimeout(ms);
  };
}

/** A connection that could not be made, or ended. `reached`: TCP was connected, and TLS not yet. */
export function connectionFailure(leader: Leader, error: Error, reached = false): Failure {
  const { host, tls } = leader;
  const of = { serverName: tls?.serverName ?? host, greeting: reached, secrets: secretsOf(leader) };
  const ofTls = tls === undefined ? undefined : tlsProblem(error, of);
  if (ofTls !== undefined) return leaderFailure(leader, ofTls.code, ofTls.cause, ofTls);
  const refused = "code" in error && error.code === "ECONNREFUSED";
  return leaderFailure(leader, refused ? "leader-not-listening" : "leader-unreachable", messageOf(error), {
    hint: "Check that the server is running and can be reached from here",
    transient: true,
  });
}

/** Several addresses of one host were tried: each error stands inside, and the outer one says nothing. */
function messageOf(error: Error): string {
  return error instanceof AggregateError
    ? error.errors.map((inner) => asError(inner).message).join("; ")
    : error.message;
}
