import type { Task } from "../core/task";
import type { Platform } from "../platforms/contract";
import { homePath, layoutOf } from "../platforms/local/home";
import { thisProgram } from "../platforms/local/program";
import { type Check, worstFirst } from "./doctor/check";
import { diskChecks, homeChecks, serverChecks } from "./doctor/data-home";
import { judgeAddons, judgeBackups } from "./doctor/judge/addons";
import { judgeAgent, judgeNode, judgeService } from "./doctor/judge/program";
import { judgeCli } from "./doctor/judge/servers";
import { addonSeen, backupsSeen, findAddons } from "./doctor/read/addons";
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
  const looked = await Promise.all([
    lookAtService(layout, agent, task.signal).then((seen) => [judgeService({ ...seen, addons: all.length })]),
    serverChecks(layout, all),
    findRedisCli(dataHome).then((path) => [judgeCli(path)]),
    backupsSeen(platform, all, task).then(judgeBackups),
    homeChecks(layout, { agentRuns, hidden }, task),
    diskChecks(layout, all),
    kernelChecks(all, agentRuns ? agent.pid : "self"),
    clockCheck(layout, all, task).then((check) => [check]),
  ]);
  const checks = [
    judgeNode(process.version),
    judgeAgent({ mine, addons: all.length, home: layout.root, agent }),
    ...judgeAddons(all.map(addonSeen), unreadable),
    ...looked.flat(),
  ];
  return worstFirst(checks);
}
