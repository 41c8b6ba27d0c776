import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const ENTRY = join(import.meta.dirname, "../../dist/provider/cli/main.js");
const execute = promisify(execFile);

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real command line on a data home, with nobody at a terminal. */
export async function redisAddon(home: string, ...args: string[]): Promise<CommandResult> {
  const env = { ...process.env, REDIS_ADDON_HOME: home };
  try {
    return { code: 0, ...(await execute(process.execPath, [ENTRY, ...args], { env })) };
  } catch (error) {
    const { code, stdout, stderr } = error as CommandResult;
    return { code, stdout, stderr };
  }
}
