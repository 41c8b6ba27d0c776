import * as pulumi from "@pulumi/pulumi";
import { BackupPolicy, type BackupPolicyArgs } from "./backup-policy";

/** What all of the policies have in common: everything but whose they are. */
export type BackupPoliciesArgs = Omit<BackupPolicyArgs, "addon">;

/**
 * Makes one {@link BackupPolicy} for each of many add-ons, all with the same arguments.
 *
 * ```ts
 * const policies = backupPolicies({ cache, queue }, { schedule: { every: "6h" }, retention: { days: 30 } });
 * ```
 *
 * makes the resources `cache-backups` and `queue-backups`. A key may be added or removed at any time; one that is
 * renamed is another resource, for which Pulumi wants the option `aliases`.
 *
 * @param addons The add-ons by keys of the program's choice, each a RedisAddon or an id.
 * @param args As those of a BackupPolicy, for all of them.
 * @param opts Pulumi's options, for all of them.
 * @returns The policies, by the same keys. Fails where one add-on stands under two keys.
 */
export function backupPolicies<Key extends string>(
  addons: Readonly<Record<Key, BackupPolicyArgs["addon"]>>,
  args: BackupPoliciesArgs = {},
  opts: pulumi.CustomResourceOptions = {},
): Record<Key, BackupPolicy> {
  // Named by its place in a list, a resource would become another one's whenever one before it goes.
  if (Array.isArray(addons))
    throw new pulumi.RunError(
      "backupPolicies: give the add-ons by name, { cache, queue }: their policies are named after them",
    );
  const entries = Object.entries<BackupPolicyArgs["addon"]>(addons);
  const policies = entries.map(([key, addon]) => [
    key,
    new BackupPolicy(`${key}-backups`, { ...args, addon }, opts),
  ]);
  return Object.fromEntries(policies) as Record<Key, BackupPolicy>;
}
