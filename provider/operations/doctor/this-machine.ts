import { planOf } from "../../core/plans";
import type { Task } from "../../core/task";
import type { Placement } from "../../platforms/contract";
import type { HomeLayout } from "../../platforms/local/home";
import type { Check } from "./check";
import type { OurCommand } from "./our-command";
import { judgeClock } from "./judge/clock";
import { judgeBacklog, judgeFiles, judgeHugePages, judgeOvercommit } from "./judge/kernel";
import { judgeMemory, judgeSwap } from "./judge/memory";
import { numberOf } from "./read/addons";
import { futureMs } from "./read/home";
import { isSynchronised, kernelLine, memoryBytes, openFilesLimit, somaxconn, swap } from "./read/kernel";
import { storeClocks } from "./read/stores";

/** Memory and the kernel's settings. `pid`: the agent's, whose limits servers inherit. */
export async function kernelChecks(
  all: readonly Placement[],
  { pid, command }: { readonly pid: number | "self"; readonly command: OurCommand },
): Promise<Check[]> {
  const [overcommit, hugePages, waiting, limit, swapped] = await Promise.all([
    kernelLine("/proc/sys/vm/overcommit_memory"),
    kernelLine("/sys/kernel/mm/transparent_hugepage/enabled"),
    somaxconn(),
    openFilesLimit(pid),
    swap(),
  ]);
  const records = all.map(({ record }) => record);
  const backlogs = records.map((record) => ({
    ...{ addon: record.name, backlog: numberOf(record, "tcp-backlog") ?? 0 },
  }));
  const clients = records.map((record) => ({
    ...{ addon: record.name, maxclients: numberOf(record, "maxclients") ?? 0 },
  }));
  const plansBytes = records.map(({ server }) => planOf(server.wish.plan).memoryBytes);
  return [
    judgeMemory({ totalBytes: memoryBytes(), plansBytes }),
    judgeSwap(swapped),
    judgeOvercommit(overcommit),
    judgeHugePages(hugePages),
    judgeBacklog({ somaxconn: waiting, addons: backlogs }),
    judgeFiles({ command, limit, addons: clients }),
  ];
}

/** This machine's clock, beside those of the stores and the times of our own files. */
export async function clockCheck(layout: HomeLayout, all: readonly Placement[], task: Task): Promise<Check> {
  const ours = all.flatMap(({ record: { name } }) => {
    const files = layout.addon(name);
    return [files.record, files.process, files.backups];
  });
  const [synchronised, stores, future] = await Promise.all([
    isSynchronised(task.signal),
    storeClocks(all, task),
    futureMs([layout.identity, layout.agentLog, ...ours], task.clock.now()),
  ]);
  return judgeClock({ synchronised, stores, futureMs: future });
}
