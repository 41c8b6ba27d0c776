import type { Command } from "commander";
import { Failure } from "../core/errors";
import type { AddonStatus } from "../core/status";
import type { Task } from "../core/task";
import { inspect } from "../operations/inspect";
import { openPlatform } from "../operations/open-platform";
import type { Platform } from "../platforms/contract";
import { systemClock } from "../system/clock";

export interface CommandContext {
  readonly home: string | undefined;
  readonly platform: Platform;
  readonly task: Task;
}

/** What every command works with. Progress goes to standard error, so that `--json` on standard output stays clean. */
export async function contextOf(command: Command): Promise<CommandContext> {
  const { home } = command.optsWithGlobals<{ home?: string }>();
  const interrupted = new AbortController();
  process.once("SIGINT", () => {
    interrupted.abort(new Error("interrupted"));
  });
  let last = "";
  const task: Task = {
    signal: interrupted.signal,
    clock: systemClock,
    progress: ({ message }) => {
      if (process.stderr.isTTY && message !== last) process.stderr.write(`${message} …\n`);
      last = message;
    },
  };
  return {
    home,
    platform: await openPlatform({ kind: "local", ...(home === undefined ? {} : { dataHome: home }) }),
    task,
  };
}

/** The add-on's status, or a Failure that says what there is instead. */
export async function requireAddon({ platform, task }: CommandContext, name: string): Promise<AddonStatus> {
  const status = await inspect(platform, name, task);
  if (status !== undefined) return status;
  const names = await platform.names();
  throw new Failure({
    code: "no-such-addon",
    operation: "find the add-on",
    subject: name,
    cause:
      names.length === 0 ? "there is none at all in this data home" : `there are only ${names.join(", ")}`,
    hint: "Another data home is named with --home or REDIS_ADDON_HOME",
  });
}
