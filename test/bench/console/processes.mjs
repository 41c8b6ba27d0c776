// What processes cost while nobody waits for them. Linux only: it reads /proc.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const TICKS_PER_SECOND = 100;

/** The share of one core that they take together, in percent. */
export async function cpuPercent(pids, forMs) {
  const before = cpuSeconds(pids);
  await sleep(forMs);
  return ((cpuSeconds(pids) - before) / (forMs / 1000)) * 100;
}

/** Memory that a process holds, in MiB. */
export function residentMib(pid) {
  const kib = readFileSync(`/proc/${pid}/status`, "utf8").match(/^VmRSS:\s+(\d+) kB/m)?.[1];
  return Number(kib) / 1024;
}

function cpuSeconds(pids) {
  return pids.reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return sum + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }, 0);
}
