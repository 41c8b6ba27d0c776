import { once } from "node:events";
import {
  Agent,
  createServer,
  type IncomingMessage,
  request as sendRequest,
  type ServerResponse,
} from "node:http";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { portOf } from "./fault-proxy";

/** A request as the S3 client made it. */
export interface S3Request {
  readonly method: string;
  /** "/bucket/prefix/key", decoded. */
  readonly path: string;
  /** `uploads`, `uploadId`, `partNumber`, `list-type`, … */
  readonly query: URLSearchParams;
  /** 1 the first time that this method, path and query come, 2 at the first repetition, … */
  readonly nth: number;
}

export type S3Fault =
  /** Status 503 with the code SlowDown; the server behind never sees the request. */
  | { readonly kind: "slow-down" }
  /** Status 200, then an error as the body (as S3 does for a Complete or Copy that fails late); never forwarded. */
  | { readonly kind: "error-body"; readonly code?: string }
  /** Any status, with any body, as something between client and server gives it; never forwarded. */
  | { readonly kind: "answer"; readonly status: number; readonly body: string }
  /** The server behind does what was asked; the connection is reset instead of its answer. */
  | { readonly kind: "lose-answer" }
  /** A reset: before anything is forwarded, after a first piece of the request's body, or in the middle of the answer's. */
  | { readonly kind: "reset"; readonly when: "before" | "in-request" | "in-answer" }
  /** Forwards only after so long. */
  | { readonly kind: "delay"; readonly delayMs: number }
  /** Inverts the bits of one byte of the answer's body, counted from its beginning. */
  | { readonly kind: "corrupt"; readonly atByte: number };

/** Chooses what happens to a request; undefined: nothing. */
export type S3FaultRule = (request: S3Request) => S3Fault | undefined;

export interface S3FaultProxy extends AsyncDisposable {
  /** To be used in place of the server's own. */
  readonly endpoint: string;
  /** Replaces the rule; at first nothing is disturbed. */
  set(rule: S3FaultRule): void;
  /** Every request so far, in order, with the fault it met. */
  readonly requests: readonly (S3Request & { readonly fault?: S3Fault })[];
}

/**
 * An HTTP proxy in front of a real S3 server. Requests go on unchanged, with the Host that the client signed: the
 * proxy's own; so signatures stay valid.
 */
export async function startS3FaultProxy(endpoint: string): Promise<S3FaultProxy> {
  const { hostname, port: targetPort } = new URL(endpoint);
  const agent = new Agent({ keepAlive: true });
  const requests: (S3Request & { fault?: S3Fault })[] = [];
  const seen = new Map<string, number>();
  let rule: S3FaultRule = () => undefined;

  const describe = (message: IncomingMessage): S3Request => {
    const { method = "", url = "/" } = message;
    const nth = (seen.get(`${method} ${url}`) ?? 0) + 1;
    seen.set(`${method} ${url}`, nth);
    const { pathname, searchParams } = new URL(url, endpoint);
    return { method, path: decodeURIComponent(pathname), query: searchParams, nth };
  };

  const handle = async (message: IncomingMessage, response: ServerResponse) => {
    const request = describe(message);
    const fault = rule(request);
    requests.push({ ...request, ...(fault && { fault }) });
    if (fault?.kind === "slow-down") return answer(message, response, 503, s3Error("SlowDown"));
    if (fault?.kind === "error-body")
      return answer(message, response, 200, s3Error(fault.code ?? "InternalError"));
    if (fault?.kind === "answer") return answer(message, response, fault.status, fault.body);
    if (fault?.kind === "reset" && fault.when === "before") return void message.socket.resetAndDestroy();
    if (fault?.kind === "delay") await sleep(fault.delayMs);
    await forward(message, response, fault);
  };

  const forward = async (message: IncomingMessage, response: ServerResponse, fault: S3Fault | undefined) => {
    const { method, url: path, headers } = message;
    const outgoing = sendRequest({ agent, hostname, port: targetPort, method, path, headers });
    const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
    // Its failure is seen below, or is of no interest once the client is gone.
    answered.catch(() => undefined);
    response.once("close", () => outgoing.destroy());
    if (fault?.kind === "reset" && fault.when === "in-request") {
      message.once("data", (piece) => outgoing.write(piece, () => message.socket.resetAndDestroy()));
      return;
    }
    await pipeline(message, outgoing);
    const [incoming] = await answered;
    if (fault?.kind === "lose-answer") {
      for await (const _ of incoming);
      message.socket.resetAndDestroy();
      return;
    }
    response.writeHead(incoming.statusCode ?? 502, incoming.headers);
    await pipeline(incoming, (body) => disturbed(body, incoming, message, fault), response);
  };

  const server = createServer((message, response) => {
    handle(message, response).catch(() => message.destroy());
  }).listen(0, "127.0.0.1");
  const port = await portOf(server);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    set: (wanted) => (rule = wanted),
    requests,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
      if (server.listening) await once(server, "close");
    },
  };
}

/** Reads the request to its end first, as the client may not listen before. */
async function answer(message: IncomingMessage, response: ServerResponse, status: number, body: string) {
  for await (const _ of message);
  response.writeHead(status, { "content-type": body.startsWith("<?xml") ? "application/xml" : "text/html" });
  response.end(body);
}

/** An error as S3 writes it. */
export function s3Error(code: string): string {
  const text = `<Code>${code}</Code><Message>Please try again.</Message><RequestId>fault</RequestId>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${text}</Error>`;
}

async function* disturbed(
  body: AsyncIterable<Buffer>,
  { headers }: IncomingMessage,
  { socket }: IncomingMessage,
  fault: S3Fault | undefined,
): AsyncIterable<Buffer> {
  const half = Math.floor(Number(headers["content-length"] ?? 0) / 2);
  let passedBytes = 0;
  for await (const piece of body) {
    if (fault?.kind === "corrupt") invert(piece, fault.atByte - passedBytes);
    const resets = fault?.kind === "reset" && passedBytes + piece.length > half;
    if (resets) {
      yield piece.subarray(0, Math.max(0, half - passedBytes));
      socket.resetAndDestroy();
      return;
    }
    passedBytes += piece.length;
    yield piece;
  }
}

function invert(piece: Buffer, at: number): void {
  const byte = piece[at];
  if (byte !== undefined) piece[at] = byte ^ 0xff;
}
