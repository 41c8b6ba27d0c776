import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import { followed, type Followed } from "../../core/followed";
import { heldWords, type HeldData } from "../../core/held-data";
import { authority } from "../../core/uri";

/** Throws where an add-on's record says that nothing can be restored into it as it is. */
export function refuseAsRecorded(record: AddonRecord): void {
  const { name } = record;
  if (record.removing !== undefined)
    throw cannotRestore("removing", name, "it is being removed", `Complete that: redis-addon delete ${name}`);
  if (record.handingOver !== undefined)
    throw new Failure({
      ...{ code: "handing-over", operation: "restore", subject: name, transient: true },
      cause: `it is exchanging its role with ${record.handingOver.to}`,
      hint: "Try again when the switchover has ended",
    });
  const leader = followed(record);
  if (leader === undefined) return;
  throw cannotRestore(
    "is-follower",
    name,
    `it follows ${leaderWords(leader)}, whose data it has`,
    `Restore its leader, which it then takes the data of; or promote it first: redis-addon follower promote ${name}`,
  );
}

/** What a backup's data would replace, and nobody said that they may. */
export function wouldReplace(name: string, held: HeldData): Failure {
  return cannotRestore(
    "holds-data",
    name,
    `it holds ${heldWords(held)} of its own, which the backup's data would replace`,
    "To have them replaced, set `replaceData: true`: a verified backup of them is taken first. Or use an empty add-on",
  );
}

/** Its keys are on its disk and not counted, and would be replaced. */
export function notInMemory(name: string): Failure {
  return new Failure({
    ...{ code: "loading", operation: "restore", subject: name, transient: true },
    cause: "its data are on its disk and not in memory yet, so nobody can tell what would be replaced",
    hint: "Try again when its server has loaded them",
  });
}

function cannotRestore(code: string, subject: string, cause: string, hint: string): Failure {
  return new Failure({ code, operation: "restore", subject, cause, hint });
}

function leaderWords(leader: Followed): string {
  return leader.kind === "addon" ? leader.addon : authority(leader.host, leader.port);
}
