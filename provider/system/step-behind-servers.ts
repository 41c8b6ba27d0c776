import { constants, setPriority } from "node:os";

/**
 * Gives this process, and what it starts from now on, the lowest priority: the servers on this machine come first. The
 * lowest and not merely a low one: next to a backup at nice 19 the slowest hundredth of a server's answers was measured
 * to come clearly sooner than next to one at nice 10, and a machine that is otherwise idle gives either all it has.
 */
export function stepBehindServers(): void {
  try {
    setPriority(constants.priority.PRIORITY_LOW);
  } catch {
    // Some containers refuse it; the backup matters more.
  }
}
