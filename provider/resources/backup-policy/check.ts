import { realpath } from "node:fs/promises";
import { destinationProblem, workingFolders } from "../../core/destination";
import type { Encryption } from "../../core/encryption";
import { layoutOf } from "../../platforms/local/home";
import type { Platform } from "../../platforms/contract";
import type { CheckAnswer, CheckCall } from "../../pulumi/definition";
import type { CheckFailure } from "../../pulumi/validate";
import { missingAddon } from "../findings";
import type { Operations } from "../operations";
import { TierHint, type BackupPolicyInputs } from "./inputs";

/** What the standard tier includes: one backup a day, at a time of choice, kept for a week. */
const STANDARD_DAYS = 7;

export async function checkBackupPolicy(
  operations: Operations,
  { inputs, olds, news }: CheckCall<BackupPolicyInputs>,
): Promise<CheckAnswer> {
  const { addon } = inputs;
  const failures: (CheckFailure | undefined)[] = [];
  const platform = inputs.platform === undefined ? undefined : await operations.openPlatform(inputs.platform);
  const isNew = addon !== undefined && addon !== olds["addon"];
  if (platform !== undefined && isNew) failures.push(await missingAddon(platform, "addon", addon));
  if (platform !== undefined) failures.push(await offLimits(platform, inputs.destination));
  failures.push(await unusable(operations, inputs.encryption));

  const hint = TierHint.parse(news["__tier"]);
  const record = addon === undefined ? undefined : await platform?.load(addon);
  const tier = hint ?? record?.server.wish.tier;
  if (tier === "standard") failures.push(...beyondStandard(inputs));
  return { fill: {}, failures: failures.filter((failure) => failure !== undefined) };
}

/** Before there is a data home nothing lies in it; a destination that gets there later is refused by each backup. */
async function offLimits(
  platform: Platform,
  destination: string | undefined,
): Promise<CheckFailure | undefined> {
  const home = await platform.home();
  if (destination === undefined || home === undefined) return undefined;
  const folders = workingFolders(layoutOf(home.path));
  const problem = await destinationProblem(destination, folders, (path) => realpath(path));
  if (problem === undefined) return undefined;
  return { property: "", reason: `\`destination\`: ${problem.cause}. ${problem.hint}` };
}

async function unusable(
  operations: Operations,
  encryption: Encryption | undefined,
): Promise<CheckFailure | undefined> {
  const problem = encryption === undefined ? undefined : await operations.encryptionProblem(encryption);
  return problem === undefined ? undefined : { property: "", reason: `\`encryption\`: ${problem}` };
}

function beyondStandard({ schedule, retention }: Partial<BackupPolicyInputs>): CheckFailure[] {
  const remedy = `set \`tier: "premium"\` on the add-on, or for the whole stack: pulumi config set redis-addon:tier premium`;
  const failures: CheckFailure[] = [];
  if (schedule !== undefined && !("daily" in schedule))
    failures.push({
      property: "",
      reason: `\`schedule\`: the add-on's tier, standard, includes one backup a day ({ daily: "03:00" }); for another schedule ${remedy}`,
    });
  const isStandard =
    retention === undefined ||
    (retention.days === STANDARD_DAYS && retention.keepLast === undefined && retention.minimum === undefined);
  if (!isStandard)
    failures.push({
      property: "",
      reason: `\`retention\`: the add-on's tier, standard, keeps backups for ${STANDARD_DAYS} days ({ days: ${STANDARD_DAYS} }); for another retention ${remedy}`,
    });
  return failures;
}
