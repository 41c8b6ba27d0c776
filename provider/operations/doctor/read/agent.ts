import { runningAgent } from "../../../platforms/local/ensure-agent";
import type { HomeLayout } from "../../../platforms/local/home";
import { comparePackageVersions } from "../../../platforms/local/package-version";
import { thisProgram } from "../../../platforms/local/program";
import { isInstalled, isLingering } from "../../../platforms/local/service/install-service";
import { serviceOf } from "../../../platforms/local/service/service-definition";
import { managerOf } from "../../../platforms/local/service/service-managers";
import type { SeenAgent, SeenService } from "../judge/program";

const PATIENCE_MS = 5_000;

export async function lookAtAgent(layout: HomeLayout, signal: AbortSignal): Promise<SeenAgent["agent"]> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    const [running, mine] = [await runningAgent(layout, patience), await thisProgram()];
    if (running === undefined) return { state: "none" };
    const { pid, program, version } = running;
    return { state: "runs", pid, program, order: comparePackageVersions(version, mine.version) };
  } catch (error) {
    signal.throwIfAborted();
    const why = patience.aborted ? `nothing came within ${PATIENCE_MS / 1000} s` : String(error);
    return { state: "silent", why };
  }
}

export async function lookAtService(
  layout: HomeLayout,
  agent: SeenAgent["agent"],
  signal: AbortSignal,
): Promise<Omit<SeenService, "addons" | "command">> {
  let file;
  try {
    file = serviceOf(layout);
  } catch (error) {
    return { name: "none", installed: false, impossible: reasonOf(error) };
  }
  const { name } = file;
  const installed = await isInstalled(file);
  const lingering = installed ? await isLingering(file, signal) : undefined;
  const impossible = installed ? undefined : await whyNot(file, signal);
  const process = installed && agent.state === "runs" ? await managerOf(file).process(signal) : undefined;
  return {
    ...{ name, installed },
    ...(lingering === undefined ? {} : { lingering }),
    ...(impossible === undefined ? {} : { impossible }),
    ...(process === undefined || agent.state !== "runs" ? {} : { runsIt: process === agent.pid }),
  };
}

/** Why this user's service manager can't be asked; absent: it can. */
async function whyNot(
  file: Parameters<typeof managerOf>[0],
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await managerOf(file).require(signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error && "cause" in error ? String(error.cause) : String(error);
}
