import * as pulumi from "@pulumi/pulumi";
import type { RedisAddon } from "./redis-addon";

/**
 * The BackupPolicy of each RedisAddon, by name. One program may run several times in a process (Automation API): each run
 * makes its own RedisAddon objects, so that nothing is remembered from one to the next, and goes with them.
 */
const policies = new WeakMap<RedisAddon, string>();

/** Refuses a second policy of one add-on while the program still shows where it is written. */
export function requireOnePolicy(addon: RedisAddon, name: string): void {
  const other = policies.get(addon);
  if (other === undefined) return;
  throw new pulumi.RunError(
    `BackupPolicy ${name}: its add-on has a policy already, BackupPolicy ${other}, and an add-on has one: ` +
      "put what both want into one of them",
  );
}

export function rememberPolicy(addon: RedisAddon, name: string): void {
  policies.set(addon, name);
}
