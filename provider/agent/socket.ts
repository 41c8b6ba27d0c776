import { chmod, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { asFailure, Failure } from "../core/errors";
import type { Clock, Task } from "../core/task";
import type { AgentCalls, AgentLine } from "../platforms/local/protocol";

/** What answers each call of the agent's protocol. */
export type AgentHandlers = {
  readonly [Name in keyof AgentCalls]: (
    argument: AgentCalls[Name]["argument"],
    task: Task,
  ) => Promise<AgentCalls[Name]["result"]>;
};

/**
 * Serves the agent's calls on a unix socket that its user alone can open. A caller that goes away aborts its call, which
 * may be made again: every handler can be repeated.
 */
export async function serve(
  path: string,
  handlers: AgentHandlers,
  signal: AbortSignal,
  clock: Clock,
): Promise<Server> {
  const server = createServer((request, response) => {
    void answer(request, response, handlers, signal, clock);
  });
  // A create that syncs a large leader takes as long as it takes; its caller's deadline bounds it.
  server.requestTimeout = 0;
  await rm(path, { force: true });
  const mask = process.umask(0o177);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  }).finally(() => process.umask(mask));
  await chmod(path, 0o600);
  return server;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handlers: AgentHandlers,
  signal: AbortSignal,
  clock: Clock,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort(new Error("the caller went away"));
  });
  const write = (line: AgentLine<unknown>): void => {
    if (!response.destroyed) response.write(`${JSON.stringify(line)}\n`);
  };
  const name = (request.url ?? "/").slice(1);
  try {
    if (!isCall(name, handlers)) throw unknownCall(name);
    const task: Task = {
      signal: AbortSignal.any([signal, gone.signal]),
      clock,
      progress: (progress) => {
        write({ kind: "progress", progress });
      },
    };
    const argument = JSON.parse(await text(request)) as never;
    write({ kind: "result", result: await handlers[name](argument, task) });
  } catch (error) {
    const reason: unknown = signal.reason;
    // Without an answer the caller knows that the agent is leaving, and makes the call again with its successor.
    if (signal.aborted && !(reason instanceof Failure)) return void response.destroy();
    const told = signal.aborted && !(error instanceof Failure) ? reason : error;
    write({ kind: "failure", report: asFailure(told, "answer the call", name).report() });
  }
  response.end();
}

function isCall(name: string, handlers: AgentHandlers): name is keyof AgentCalls {
  return Object.hasOwn(handlers, name);
}

function unknownCall(name: string): Failure {
  return new Failure({
    code: "unknown-call",
    operation: "answer the call",
    subject: name,
    cause: "this agent does not know it",
    hint: "The agent is older or newer than its caller: redis-addon agent stop --keep-servers, then try again",
  });
}
