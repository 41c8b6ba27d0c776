import { isDeepStrictEqual } from "node:util";
import { DEFAULT_BACKUPS } from "../../core/facets";
import type { CheckFailure } from "../../pulumi/validate";
import type { BackupPolicyInputs } from "./inputs";

const REMEDY = `set \`tier: "premium"\` on the add-on, or for the whole stack: pulumi config set redis-addon:tier premium`;

/** What a standard add-on does not include: it is backed up once a day, at a time of choice, and backups stay for a week. */
export function beyondStandard({ schedule, retention }: Partial<BackupPolicyInputs>): CheckFailure[] {
  const failures: CheckFailure[] = [];
  if (schedule !== undefined && !("daily" in schedule))
    failures.push({
      property: "",
      reason: `\`schedule\`: the add-on's tier, standard, includes one backup a day ({ daily: "03:00" }); for another schedule ${REMEDY}`,
    });
  if (retention !== undefined && !isStandard(retention))
    failures.push({
      property: "",
      reason: `\`retention\`: the add-on's tier, standard, keeps backups for 7 days ({ days: 7 }); for another retention ${REMEDY}`,
    });
  return failures;
}

/** However it is written: one backup stays always, also where nobody asks for it. */
function isStandard({ minimum = 1, ...rules }: NonNullable<BackupPolicyInputs["retention"]>): boolean {
  const given = Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined));
  return minimum === 1 && isDeepStrictEqual(given, DEFAULT_BACKUPS.retention);
}
