import type { Command } from "commander";
import type { AddonStatus } from "../core/status";
import type { Task } from "../core/task";
import { inspect } from "../operations/inspect";
import { noSuchAddon } from "../operations/no-such-addon";
import { openPlatform } from "../operations/open-platform";
import type { Platform } from "../platforms/contract";
import { systemClock } from "../system/clock";
import { heedSignals, interruption } from "./interruption";
import { openDisplay } from "./terminal";

export interface CommandContext {
  readonly home: string | undefined;
  readonly platform: Platform;
  readonly task: Task;
}

/**
 * What every command works with. Progress goes to standard error, so that `--json` on standard output stays clean;
 * elsewhere than on a terminal only a command that takes long tells of it, a line for each step.
 */
export async function contextOf(
  command: Command,
  {
    takesLong = false,
    isWatching = false,
  }: { readonly takesLong?: boolean; readonly isWatching?: boolean } = {},
): Promise<CommandContext> {
  const { home, quiet } = command.optsWithGlobals<{ home?: string; quiet?: boolean }>();
  heedSignals({ isWatching });
  const display = openDisplay(quiet === true || !(takesLong || process.stderr.isTTY));
  return {
    home,
    platform: await openPlatform({ kind: "local", ...(home === undefined ? {} : { dataHome: home }) }),
    task: { signal: interruption, clock: systemClock, progress: (progress) => display.show(progress) },
  };
}

/** The add-on's status, or a Failure that says what there is instead. */
export async function requireAddon({ platform, task }: CommandContext, name: string): Promise<AddonStatus> {
  const status = await inspect(platform, name, task);
  if (status !== undefined) return status;
  throw await noSuchAddon(platform, name, "Another data home is named with --home or REDIS_ADDON_HOME");
}
