import type { Task } from "../core/task";
import type { Platform, SwitchOver } from "../platforms/contract";
import { recordOf } from "./applied";
import type { Replicated } from "./replicate";

/** Longer than any pause that was measured, shorter than what a client waits for an answer. */
export const SWITCHOVER_TIMEOUT_MS = 10_000;

/**
 * Exchanges the roles of a leader and its follower, both of this platform, without losing an acknowledged write. Writes
 * are held up for `timeoutMs` at most; where the follower doesn't have everything by then, all stays as it was
 * (`not-switched-over`). Roles that are as wished already are left alone.
 */
export async function switchOver(
  platform: Platform,
  request: Omit<SwitchOver, "timeoutMs"> & { readonly timeoutMs?: number },
  task: Task,
): Promise<Pick<Replicated, "record" | "switchover">> {
  const { name } = request;
  task.progress({ message: "exchanging the roles of leader and follower" });
  const answer = await platform.switchOver({ timeoutMs: SWITCHOVER_TIMEOUT_MS, ...request }, task);
  if (answer.outcome === "switched-over") {
    const { record, measured } = answer;
    return { record, ...(measured === undefined ? {} : { switchover: measured }) };
  }
  return { record: recordOf(answer, "switch over", name) };
}
