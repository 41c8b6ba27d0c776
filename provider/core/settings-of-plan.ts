import { parseMemory } from "./memory-size";
import type { Plan } from "./plans";
import { memorySpelling } from "./setting-kinds";
import type { SettingProblem } from "./allowed-settings";

/** The backlog counts towards maxmemory: as large as that, it would evict every key, or refuse every write. */
const MOST_OF_PLAN_IN_BACKLOG = 1 / 4;
/** A client that is at work takes 17 to 38 KiB by itself (measured): with less for each, working would disconnect it. */
const LEAST_PER_CONNECTION_BYTES = 64 * 1024;

/** The settings that are right by themselves and don't go with the plan. */
export function settingsBeyondPlan(
  settings: Readonly<Record<string, string>>,
  { memoryBytes, connections }: Plan,
): readonly SettingProblem[] {
  const problems: SettingProblem[] = [];
  const most = Math.floor(memoryBytes * MOST_OF_PLAN_IN_BACKLOG);
  if (Number(settings["repl-backlog-size"] ?? 0) > most)
    problems.push({
      name: "repl-backlog-size",
      reason: `it counts towards the plan's memory: write at most a quarter of that, "${memorySpelling(most)}"`,
    });
  const least = connections * LEAST_PER_CONNECTION_BYTES;
  const clientsBytes = bytesOf(settings["maxmemory-clients"] ?? "0", memoryBytes);
  if (clientsBytes > 0 && clientsBytes < least)
    problems.push({
      name: "maxmemory-clients",
      reason: `the plan's ${connections} connections would be too much by themselves: write at least "${memorySpelling(least)}", or 0 for no limit`,
    });
  return problems;
}

function bytesOf(value: string, memoryBytes: number): number {
  const share = /^(\d+)%$/.exec(value)?.[1];
  return share === undefined ? (parseMemory(value) ?? 0) : (memoryBytes * Number(share)) / 100;
}
