import type { Command } from "commander";
import type { AddonStatus } from "../core/status";
import type { Task } from "../core/task";
import { homePath } from "../operations/agent";
import { inspect } from "../operations/inspect";
import { noSuchAddon } from "../operations/no-such-addon";
import { openPlatform } from "../operations/open-platform";
import type { Platform } from "../platforms/contract";
import { systemClock } from "../system/clock";
import { wrongUsage } from "./exit-codes";
import { heedSignals, interruption } from "./interruption";
import { openDisplay } from "./terminal";

export interface CommandContext {
  readonly home: string | undefined;
  readonly platform: Platform;
  readonly task: Task;
}

interface ContextWish {
  readonly takesLong?: boolean;
  readonly isWatching?: boolean;
  /** What tells who interrupts it what became of it: an agent may go on with what was begun. Absent: nothing goes on. */
  readonly afterwards?: string;
}

/**
 * What every command works with. Progress goes to standard error, so that `--json` on standard output stays clean;
 * elsewhere than on a terminal only a command that takes long tells of it, a line for each step.
 */
export async function contextOf(
  command: Command,
  { takesLong = false, isWatching = false, afterwards }: ContextWish = {},
): Promise<CommandContext> {
  const { home, quiet } = command.optsWithGlobals<{ home?: string; quiet?: boolean }>();
  // A variable that isn't set would have the command do to the usual data home what is meant for another one.
  if (home === "") throw wrongUsage("--home", "it is empty", "Name a folder, or leave it out");
  heedSignals({ isWatching, afterwards });
  const display = openDisplay(quiet === true || !(takesLong || process.stderr.isTTY));
  return {
    home,
    platform: await openPlatform({ kind: "local", ...(home === undefined ? {} : { dataHome: home }) }),
    task: { signal: interruption, clock: systemClock, progress: (progress) => display.show(progress) },
  };
}

/** The add-on's status, or a Failure that says what there is instead. */
export async function requireAddon(context: CommandContext, name: string): Promise<AddonStatus> {
  const { platform, task } = context;
  // A URL may hold a password, so it is not repeated.
  if (name.includes("://"))
    throw wrongUsage("the add-on's name", "it is a URL", "Take the name as `redis-addon list` shows it");
  const status = await inspect(platform, name, task);
  if (status !== undefined) return status;
  const hint = `The data home is ${homePath(context.home)}; another one is named with --home or REDIS_ADDON_HOME`;
  throw await noSuchAddon(platform, name, hint);
}
