import { request } from "node:http";
import { createInterface } from "node:readline";
import { Failure } from "../../core/errors";
import type { Task } from "../../core/task";
import type { AgentCalls, AgentLine } from "./protocol";

/** The agent went away before it answered; every call may be made again. */
export class AgentGone extends Error {}

/** Makes one call on the agent's socket. Throws AgentGone where nobody listens or the answer was cut short. */
export async function callAgent<Name extends keyof AgentCalls>(
  socket: string,
  name: Name,
  argument: AgentCalls[Name]["argument"],
  task: Pick<Task, "signal" | "progress">,
): Promise<AgentCalls[Name]["result"]> {
  const response = await send(socket, name, JSON.stringify(argument), task.signal);
  try {
    for await (const text of createInterface({ input: response })) {
      const line = JSON.parse(text) as AgentLine<AgentCalls[Name]["result"]>;
      if (line.kind === "result") return line.result;
      if (line.kind === "failure") throw new Failure(line.report);
      task.progress(line.progress);
    }
  } catch (error) {
    task.signal.throwIfAborted();
    if (error instanceof Failure) throw error;
    throw new AgentGone(`the agent's answer was cut short: ${String(error)}`);
  }
  task.signal.throwIfAborted();
  throw new AgentGone("the agent went away before it answered");
}

function send(socketPath: string, name: string, body: string, signal: AbortSignal) {
  return new Promise<import("node:http").IncomingMessage>((resolve, reject) => {
    const call = request({ socketPath, path: `/${name}`, method: "POST", signal }, resolve);
    call.on("error", (error: NodeJS.ErrnoException) => {
      if (signal.aborted) reject(signal.reason as Error);
      else reject(new AgentGone(error.message));
    });
    call.end(body);
  });
}
