// Runs a shell command and tells what it took: wall time, CPU of all its processes, and the most memory that they held
// at once. Linux only: it reads /proc.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";

const SAMPLE_MS = 10;
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

/** @returns {Promise<{ wallSeconds: number, cpuSeconds: number, peakBytes: number }>} */
export async function measured(command, env) {
  const startedAt = performance.now();
  // The shell's own line in /proc holds the CPU time of all children that it has waited for.
  const script = `set -o pipefail\n${command}\ncode=$?; read -r line </proc/$$/stat; echo "$line" >&3; exit $code`;
  const child = spawn("bash", ["-c", script], { env, stdio: ["ignore", "ignore", "pipe", "pipe"] });
  let peakBytes = 0;
  const sampler = setInterval(() => {
    peakBytes = Math.max(peakBytes, residentBytes(child.pid) - residentBytesOf(child.pid));
  }, SAMPLE_MS);
  const [errors, stat, [code]] = await Promise.all([
    text(child.stderr),
    text(child.stdio[3]),
    once(child, "exit"),
  ]);
  clearInterval(sampler);
  const wallSeconds = (performance.now() - startedAt) / 1000;
  if (code !== 0) throw new Error(`exit code ${code} of: ${command}\n${errors}`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const cpuSeconds = (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
  return { wallSeconds, cpuSeconds, peakBytes };
}

function residentBytes(pid) {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean);
  return children.reduce((sum, child) => sum + residentBytes(child), residentBytesOf(pid));
}

function residentBytesOf(pid) {
  return Number(read(`/proc/${pid}/statm`).split(" ")[1] ?? 0) * PAGE_BYTES;
}

/** Empty for a process that has just ended. */
function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
