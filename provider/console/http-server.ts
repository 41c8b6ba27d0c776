import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
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

/** Listens there. Fails (`cannot-listen`, `bad-certificate`) where it can't. */
export async function listenHttp(
  listen: HostAndPort,
  tls: TlsFiles | undefined,
  handler: Handler,
): Promise<Server> {
  const server = tls === undefined ? createServer(LIMITS, handler) : tlsServer(tls, handler);
  server.maxConnections = MOST_CONNECTIONS;
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
