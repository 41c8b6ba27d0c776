import { bindAddresses } from "../../core/bind";
import { Failure } from "../../core/errors";
import { listenProblem } from "../../system/ports";
import type { OwnProcess } from "./find-own-process";

/**
 * A recorded port never changes by itself: where it is taken the server stays down, and says by whom. What `present`,
 * the server that is to be replaced, holds itself doesn't count.
 */
export async function requireFreePorts(
  name: string,
  bind: string,
  port: number,
  present?: OwnProcess,
): Promise<void> {
  for (const address of bindAddresses(bind)) {
    const problem = await listenProblem(address, port);
    if (problem === undefined || (problem.kind === "taken" && present?.port === port)) continue;
    throw new Failure({
      code: problem.kind === "taken" ? "port-taken" : "cannot-listen",
      operation: "start the server of",
      subject: name,
      cause: problem.why,
      hint:
        problem.kind === "taken"
          ? "End that process, or set the add-on's port to a free one"
          : "Set bind and port to what this machine has",
      transient: problem.kind === "taken",
    });
  }
}
