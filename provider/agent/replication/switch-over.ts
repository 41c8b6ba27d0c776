import type { Task } from "../../core/task";
import type { SwitchedOver, SwitchOver } from "../../platforms/contract";
import type { AgentService } from "../service";

export async function switchOver(
  _service: AgentService,
  _request: SwitchOver,
  _task: Task,
): Promise<SwitchedOver> {
  return Promise.resolve({ outcome: "absent" });
}
