import type { Task } from "../core/task";
import type { Platform } from "../platforms/contract";
import { homePath, layoutOf } from "../platforms/local/home";
import { thisProgram } from "../platforms/local/program";
import { type Check, notApplicable, worstFirst } from "./doctor/check";
import { diskChecks, homeChecks, serverChecks } from "./doctor/data-home";
import { judgeAddons, judgeBackups } from "./doctor/judge/addons";
import { judgeAgent, judgeNode, judgeService } from "./doctor/judge/program";
import { judgeCli } from "./doctor/judge/servers";
import { addonSeen, backupsSeen, findAddons } from "./doctor/read/addons";
import { ourCommand } from "./doctor/our-command";
import { lookAtAgent, lookAtService } from "./doctor/read/agent";
import { clockCheck, kernelChecks } from "./doctor/this-machine";
import { findRedisCli } from "./find-redis-cli";

export type { Check, CheckResult } from "./doctor/check";

/**
 * Looks at this machine, the data home and its add-ons: what keeps them from working, or may, with what to do about it;
 * the worst first. Changes nothing and starts nothing. Stores are asked for a few seconds at most.
 */
export async function examine(
  dataHome: string | undefined,
  platform: Platform,
  task: Task,
): Promise<readonly Check[]> {
  const layout = layoutOf(homePath(dataHome));
  const { all, unreadable, hidden } = await findAddons(platform);
  const [agent, { id: mine }] = [await lookAtAgent(layout, task.signal), await thisProgram()];
  const agentRuns = agent.state === "runs";
  const command = ourCommand(layout.root);
  const looked = await Promise.all([
    lookAtService(layout, agent, task.signal).then((seen) => [
      judgeService({ ...seen, command, addons: all.length }),
    ]),
    serverChecks(layout, all),
    findRedisCli(dataHome).then((path) => [judgeCli(path)]),
    backupsSeen(platform, all, task).then((seen) => judgeBackups(seen, command)),
    homeChecks(layout, { agentRuns, hidden }, task),
    diskChecks(layout, all),
    kernelChecks(all, { pid: agentRuns ? agent.pid : "self", command }),
    clockCheck(layout, all, task).then((check) => [check]),
  ]);
  const checks = [
    judgeNode(process.version),
    judgeAgent({ mine, addons: all.length, home: layout.root, agent }),
    ...judgeAddons(all.map(addonSeen), unreadable, { command, agentRuns }),
    ...looked.flat(),
  ];
  // Where the data home can't be read nothing is known about add-ons, least of all that there are none.
  const unknown = hidden === undefined ? [] : [...OF_ADDONS, ...(agent.state === "none" ? ["agent"] : [])];
  return worstFirst(
    checks.map((check) =>
      unknown.includes(check.id) ? notApplicable(check.id, "the data home can't be read") : check,
    ),
  );
}

const OF_ADDONS: readonly string[] = ["add-ons", "executables", "backups", "memory"];
