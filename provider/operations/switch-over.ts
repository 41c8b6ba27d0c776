import type { Task } from "../core/task";
import type { Platform, SwitchOver } from "../platforms/contract";
import { recordOf } from "./applied";
import type { Replicated } from "./replicate";

/** Longer than any pause that was measured, shorter than what a client waits for an answer. */
export const SWITCHOVER_TIMEOUT_MS = 10_000;

/** Exchanges the roles of a leader and its follower, both of this platform, without losing an acknowledged write. */
export async function switchOver(
  platform: Platform,
  request: Omit<SwitchOver, "timeoutMs"> & { readonly timeoutMs?: number },
  task: Task,
): Promise<Pick<Replicated, "record" | "switchover">> {
  const { name } = request;
  const answer = await platform.switchOver({ timeoutMs: SWITCHOVER_TIMEOUT_MS, ...request }, task);
  if (answer.outcome === "switched-over") return { record: answer.record, switchover: answer.measured };
  return { record: recordOf(answer, "switch over", name) };
}
