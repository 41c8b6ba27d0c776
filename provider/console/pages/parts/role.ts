import type { AddonStatus } from "../../../core/status";
import { roleWords } from "../../../operations/words/addon-words";

/** `follower of cache: broken`: why stands with its problems, on the same page. */
export function roleText(status: AddonStatus): string {
  const { replication, problems } = status;
  if (replication.role === "leader") return roleWords(status);
  const { sync, leader } = replication;
  const why = "why" in sync ? sync.why : undefined;
  if (why === undefined || !problems.some((problem) => problem.includes(why))) return roleWords(status);
  return `follower of ${leader.addon ?? `${leader.host}:${leader.port}`}: ${sync.state}`;
}
