import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { Failure } from "../core/errors";
import { hostAndPortText, type HostAndPort } from "../core/host-and-port";
import { listenProblem } from "../system/ports";

/** A certificate with its chain, and its key, as PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Who is slow on purpose holds a connection no longer than this. */
const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 20_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
};
const HANDSHAKE_TIMEOUT_MS = 10_000;
const MOST_CONNECTIONS = 500;
/** Longer than any page takes. A download that is paused for so long has to be begun again. */
const IDLE_MS = 120_000;

/**
 * Listens there. Fails (`cannot-listen`, `bad-certificate`) where it can't. A connection on which nothing was sent or
 * read for `idleMs` is ended: who doesn't read what is answered would hold it for ever.
 */
export async function listenHttp(
  listen: HostAndPort,
  tls: TlsFiles | undefined,
  handler: Handler,
  idleMs = IDLE_MS,
): Promise<Server> {
  const handle = oneAtATime(handler);
  const server = tls === undefined ? createServer(LIMITS, handle) : tlsServer(tls, handle);
  server.maxConnections = MOST_CONNECTIONS;
  server.timeout = idleMs;
  server.listen(listen.port, listen.host);
  await once(server, "listening").catch(async (error: unknown) => {
    const problem = await listenProblem(listen.host, listen.port);
    throw new Failure({
      code: "cannot-listen",
      operation: "serve the console on",
      subject: hostAndPortText(listen),
      cause: problem?.why ?? (error instanceof Error ? error.message : String(error)),
    });
  });
  return server;
}

/**
 * Ends a connection on which more is asked for before the last answer was sent. Browsers and proxies don't; whoever does
 * so and reads nothing has us keep thousands of answers in memory.
 */
function oneAtATime(handler: Handler): Handler {
  const busy = new WeakSet<Socket>();
  return (request, response) => {
    const { socket } = request;
    if (busy.has(socket)) {
      socket.destroy();
      return;
    }
    busy.add(socket);
    response.on("finish", () => busy.delete(socket));
    handler(request, response);
  };
}

function tlsServer(tls: TlsFiles, handler: Handler): Server {
  try {
    const options = { ...LIMITS, minVersion: "TLSv1.2", handshakeTimeout: HANDSHAKE_TIMEOUT_MS } as const;
    return createTlsServer({ ...options, ...tls }, handler);
  } catch (error) {
    throw new Failure({
      code: "bad-certificate",
      operation: "serve",
      subject: "the console",
      cause: `the certificate and its key can't be used: ${error instanceof Error ? error.message : String(error)}`,
      hint: "Both are PEM, the certificate with its chain",
    });
  }
}
