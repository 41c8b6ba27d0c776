import { changeRefused } from "../../core/change-refused";
import type { AddonRecord } from "../../core/facets";
import type { RestorePreview } from "../../operations/preview-restore";
import type { Platform } from "../../platforms/contract";
import type { CheckCall, DiffCall } from "../../pulumi/definition";
import type { Row } from "../../pulumi/row";
import type { CheckFailure } from "../../pulumi/validate";
import type { Operations } from "../operations";
import { isChecked } from "./checked";
import type { RedisAddonInputs } from "./inputs";
import type { RedisAddonState } from "./outputs";
import { resolvedVersion } from "./resolved-version";
import { wantedRestore } from "./restore-wanted";

const UNKNOWN_SOURCE =
  "its data will be those of a backup of something that this update makes first: which backup, and whether it fits, is known only then";

/** What a create with a backup's data would meet; says on the row what it will do. */
export async function previewedCreate(
  operations: Operations,
  platform: Platform,
  call: Pick<CheckCall<RedisAddonInputs>, "inputs" | "unknown" | "hidden" | "row"> & {
    readonly name: string | undefined;
    readonly record: AddonRecord | undefined;
  },
): Promise<CheckFailure[]> {
  const { inputs, unknown, row, name, record } = call;
  if (unknown.has("restoreFrom")) await row.info(UNKNOWN_SOURCE);
  const restore = wantedRestore(inputs, undefined, record);
  if (restore === undefined) return [];
  const server = serverOf(call, record);
  const preview = await operations.previewRestore(platform, { name, server, restore });
  await say(row, preview);
  return preview.refusals.map(({ property, cause, hint }) => {
    const reason = `${cause}. ${hint}`;
    return property === "restoreFrom"
      ? { property: "", reason: `\`restoreFrom\`: ${reason}` }
      : { property, reason };
  });
}

/** Whether an update restores a backup; says on the row what that does, and fails where it can't be. */
export async function announcedRestore(
  operations: Operations,
  platform: Platform,
  call: DiffCall<RedisAddonInputs, RedisAddonState>,
  record: AddonRecord,
): Promise<boolean> {
  const { inputs, unknown, state, hidden, row } = call;
  // A refresh compares what was asked for last, and must not fail because of it.
  if (!isChecked(hidden.urn)) return wantedRestore(inputs, state, record) !== undefined;
  if (unknown.has("restoreFrom")) await row.info(UNKNOWN_SOURCE);
  const restore = wantedRestore(inputs, state, record);
  if (restore === undefined) return false;
  const server = serverOf(call, record);
  const preview = await operations.previewRestore(platform, { name: state.name, server, restore });
  await say(row, preview);
  const [refusal] = preview.refusals;
  // Whatever else stands in the way, that is what the program changed.
  if (refusal !== undefined) throw changeRefused(state.name, "restoreFrom", refusal);
  return true;
}

async function say(row: Row, { warnings, plans }: RestorePreview): Promise<void> {
  for (const warning of warnings) await row.warning(warning);
  for (const plan of plans) await row.info(plan);
}

/** As it will be when the backup is restored: the same update may give it more room. */
function serverOf(
  { inputs, hidden }: Pick<CheckCall<RedisAddonInputs>, "inputs" | "hidden">,
  record: AddonRecord | undefined,
) {
  const { plan, evictionPolicy } = inputs;
  const version = hidden.given.includes("version") ? inputs.version : undefined;
  const resolved = version === undefined || record === undefined ? version : resolvedVersion(record, version);
  return {
    ...(plan === undefined ? {} : { plan }),
    ...(evictionPolicy === undefined ? {} : { evictionPolicy }),
    ...(resolved === undefined ? {} : { version: resolved }),
  };
}
