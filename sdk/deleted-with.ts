import type * as pulumi from "@pulumi/pulumi";
import type { RedisAddon } from "./redis-addon";

/** Those that the program only reads: the engine drops them from its state and deletes nothing. */
const read = new WeakSet<pulumi.Resource>();

export function rememberRead(addon: RedisAddon): void {
  read.add(addon);
}

/**
 * The options of a resource that needs no deletion of its own where its add-on goes too. Of an add-on that is only read
 * the engine would skip it as well, although that one stays.
 */
export function deletedWith(
  addon: RedisAddon | undefined,
  opts: pulumi.CustomResourceOptions,
): pulumi.CustomResourceOptions {
  return addon === undefined || read.has(addon) ? opts : { deletedWith: addon, ...opts };
}
