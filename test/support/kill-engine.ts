import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { copyFile, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { PulumiProject } from "./pulumi-project";

/**
 * Kills the command line, and with it the engine, wherever it is. A local backend's checkpoint is not written in one step:
 * of one that was cut, Pulumi keeps the one before beside it, which a person would take then.
 */
export async function killEngine(project: PulumiProject, run: ChildProcess): Promise<void> {
  const isOver = run.exitCode !== null || run.signalCode !== null;
  const ended = isOver ? undefined : once(run, "exit");
  run.kill("SIGKILL");
  await ended;
  const backend = fileURLToPath(project.env["PULUMI_BACKEND_URL"] ?? "");
  for (const checkpoint of globSync(".pulumi/stacks/**/dev.json", { cwd: backend }))
    if (!isWhole(await readFile(`${backend}/${checkpoint}`, "utf8")))
      await copyFile(`${backend}/${checkpoint}.bak`, `${backend}/${checkpoint}`);
}

function isWhole(json: string): boolean {
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}
