import type { AddonStatus } from "../../core/status";

/** What deleting an add-on would do, each a sentence. `withoutBackup`: its data are given up. */
export function removalConsequences(addon: AddonStatus, withoutBackup: boolean): string[] {
  const { name, owner, backups, wish, replication } = addon;
  const { catalog, newestVerified } = backups;
  const held = heldWords(addon);
  const newest =
    newestVerified === undefined
      ? "no backup of it is known to be verified"
      : `its newest verified backup is of ${newestVerified}`;
  const followers = replication.role === "leader" ? replication.followers : [];
  const following = followers.map(({ addon: follower, host, port }) => follower ?? `${host}:${port}`);
  return [
    `it was made by the stack ${owner.project}/${owner.stack}: where that still has it, take it out of the program and run pulumi up instead`,
    withoutBackup || !wish.deletion.finalBackup
      ? `${name} is removed with its data${held}, without a final backup${withoutBackup ? "" : ", as its `deletion` says"}: ${newest}`
      : `its users are shut out, a final backup is taken and verified, then ${name} is removed with its data${held}`,
    `its backups stay in ${catalog}`,
    ...(following.length === 0
      ? []
      : [`${following.join(", ")} ${following.length === 1 ? "loses its" : "lose their"} leader`]),
  ];
}

function heldWords({ server }: AddonStatus): string {
  if (server.state !== "running") return "";
  return server.keys === 1 ? " (1 key)" : ` (${server.keys} keys)`;
}
