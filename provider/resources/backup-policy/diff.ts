import { DEFAULT_BACKUPS, type AddonRecord } from "../../core/facets";
import type { DiffAnswer, DiffCall } from "../../pulumi/definition";
import { diffFacet } from "../facet-diff";
import type { Operations } from "../operations";
import { announceRemovals } from "./announce-removals";
import { backupsWish, type BackupPolicyInputs } from "./inputs";
import type { BackupPolicyState } from "./outputs";

/** What an update would do, and which backups would go because of it. */
export async function diffBackupPolicy(
  operations: Operations,
  call: DiffCall<BackupPolicyInputs, BackupPolicyState>,
): Promise<DiffAnswer> {
  const { inputs, unknown, state, hidden, row } = call;
  const facet = { of: (record: AddonRecord) => record.backups, wanted: backupsWish };
  const answer = await diffFacet(operations, facet, call);
  if (answer.replaces.length > 0) return answer;
  const platform = await operations.openPlatform(inputs.platform ?? state.platform);
  const recorded = (await platform.load(state.addon))?.backups;
  if (answer.changes)
    await announceRemovals(operations, platform, {
      name: state.addon,
      from: recorded?.wish ?? DEFAULT_BACKUPS,
      ...{ inputs, unknown, row },
    });
  const isMoved = recorded?.urn !== undefined && hidden.urn !== undefined && recorded.urn !== hidden.urn;
  // By the recorded one a second policy is told from this one, and so is a replacement of it that is asked for.
  if (isMoved)
    await row.info(
      `it is recorded as ${recorded.urn}: an update records its new name, and touches nothing else`,
    );
  return { ...answer, changes: answer.changes || isMoved };
}
