import { Failure } from "../../core/errors";
import type { Task } from "../../core/task";
import type { RestoreRequest, RestoreResult } from "../../platforms/contract";
import type { AgentService } from "../service";

/** Puts the data of a backup in place of an add-on's own. */
export async function restore(
  _service: AgentService,
  request: RestoreRequest,
  _task: Task,
): Promise<RestoreResult> {
  throw new Failure({ code: "internal", operation: "restore", subject: request.name, cause: "skeleton" });
}
