import type * as pulumi from "@pulumi/pulumi";
import { stackDefault } from "./declare";

/** Servers on the machine that runs `pulumi up`, kept running by a daemon of the user's own. */
export interface LocalPlatform {
  kind: "local";
  /**
   * The folder that holds the servers, their data and, by default, the backups.
   *
   * Default: the stack's config `redis-addon:dataHome`, else the environment variable `REDIS_ADDON_HOME`, else
   * `$XDG_DATA_HOME/redis-addon` (`~/.local/share/redis-addon`). A change makes a new add-on in the other folder.
   */
  dataHome?: pulumi.Input<string>;
}

/** The same, as an output. */
export interface Platform {
  kind: "local";
  dataHome?: string;
}

/** What the program says, else what the stack's config says. */
export function platformInput(
  platform: pulumi.Input<LocalPlatform> | undefined,
): pulumi.Input<LocalPlatform> | undefined {
  if (platform !== undefined) return platform;
  const dataHome = stackDefault("dataHome");
  return dataHome === undefined ? undefined : { kind: "local", dataHome };
}
