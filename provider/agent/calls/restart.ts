import { Failure } from "../../core/errors";
import { restartProblem } from "../../core/restart-problem";
import type { Task } from "../../core/task";
import type { Restarted } from "../../platforms/contract";
import type { ProcessIdentity } from "../../system/processes";
import { log } from "../log";
import type { AgentService } from "../service";
import { settledRecord } from "./settled-record";

/** A process to be replaced: whoever asks names the one that runs, so that a call that is made twice restarts once. */
export interface RestartCall {
  readonly name: string;
  /** Absent: none runs. */
  readonly process?: ProcessIdentity;
}

/** Ends an add-on's server, its data written down, and starts it again; where none runs it is started. In its queue. */
export async function restart(
  service: AgentService,
  { name, process }: RestartCall,
  task: Task,
): Promise<Restarted> {
  const { supervisor } = service;
  const record = await settledRecord(service, name, task);
  if (record === undefined) return { outcome: "absent" };
  const problem = restartProblem(record);
  if (problem !== undefined) throw new Failure({ ...problem, operation: "restart", subject: name });
  log(`${name}: its server is restarted, as a person asked for`);
  // Should the caller go away in between, the supervisor's next look starts it.
  supervisor.touch(name);
  if (process === undefined) {
    await supervisor.place(name, task);
    return { outcome: "started" };
  }
  const { restartedMs } = await supervisor.restart(name, process, task);
  return { outcome: "restarted", ...(restartedMs === undefined ? {} : { awayMs: restartedMs }) };
}
