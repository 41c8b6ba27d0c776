import { realpath } from "node:fs/promises";
import { destinationProblem, workingFolders } from "../../core/destination";
import type { Encryption } from "../../core/encryption";
import { DEFAULT_BACKUPS, type AddonRecord } from "../../core/facets";
import { otherPolicy, policyExists } from "../../core/policy-exists";
import { layoutOf } from "../../platforms/local/home";
import type { Platform } from "../../platforms/contract";
import type { CheckAnswer, CheckCall } from "../../pulumi/definition";
import { parseUrn } from "../../pulumi/urn";
import type { CheckFailure } from "../../pulumi/validate";
import { missingAddon } from "../findings";
import type { Operations } from "../operations";
import { announceRemovals } from "./announce-removals";
import { beyondStandard } from "./beyond-standard";
import type { DeclaredPolicies } from "./declared-policies";
import { TierHint, type BackupPolicyInputs } from "./inputs";

/** What a preview can know and find out, before anything is touched. */
export async function checkBackupPolicy(
  operations: Operations,
  declared: DeclaredPolicies,
  call: CheckCall<BackupPolicyInputs>,
): Promise<CheckAnswer> {
  const { inputs, olds, news, row, unknown } = call;
  const { addon } = inputs;
  const failures: (CheckFailure | undefined)[] = [];
  const platform = inputs.platform === undefined ? undefined : await operations.openPlatform(inputs.platform);
  const record = addon === undefined ? undefined : await platform?.load(addon);
  const isNew = addon !== undefined && addon !== olds["addon"];
  if (platform !== undefined && isNew) failures.push(await missingAddon(platform, "addon", addon));
  if (platform !== undefined && addon !== undefined)
    failures.push(await secondPolicy(platform, declared, call, isNew ? record : undefined));
  if (platform !== undefined) failures.push(await offLimits(platform, inputs.destination));
  failures.push(await unusable(operations, inputs.encryption));

  const tier = TierHint.parse(news["__tier"]) ?? record?.server.wish.tier;
  if (tier === "standard") failures.push(...beyondStandard(inputs));
  const found = failures.filter((failure) => failure !== undefined);
  // A change of what is recorded is told when the two are compared.
  if (platform !== undefined && record !== undefined && isNew && found.length === 0)
    await announceRemovals(operations, platform, {
      name: record.name,
      from: record.backups?.wish ?? DEFAULT_BACKUPS,
      ...{ inputs, unknown, row },
    });
  return { fill: {}, failures: found };
}

/**
 * An add-on has one policy. `record`: that of an add-on of which this resource has none yet; what is recorded of one
 * that it has may bear the name that the resource had before.
 */
async function secondPolicy(
  platform: Platform,
  declared: DeclaredPolicies,
  { inputs: { addon = "" }, hidden: { urn } }: CheckCall<BackupPolicyInputs>,
  record: AddonRecord | undefined,
): Promise<CheckFailure | undefined> {
  const parsed = urn === undefined ? undefined : parseUrn(urn);
  if (urn === undefined || parsed === undefined) return undefined;
  const { project, stack } = parsed;
  const home = (await platform.home())?.id ?? "";
  // One that is refused for what is recorded must not count as the first of the program.
  const other =
    otherPolicy(record?.backups?.urn, { project, stack, urn }) ?? declared.other(home, addon, urn);
  if (other === undefined) return undefined;
  const { cause, hint } = policyExists(other);
  return { property: "addon", reason: `${cause}. ${hint}` };
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
