import { DEFAULT_BACKUPS, type BackupsWish } from "../../core/facets";
import type { ResourceDefinition } from "../../pulumi/definition";
import { instanceStanding } from "../claims";
import { facetLifecycle } from "../facet-lifecycle";
import { requireHome } from "../home-guard";
import type { Operations } from "../operations";
import { PlatformInput } from "../recorded";
import { checkBackupPolicy } from "./check";
import { declaredPolicies } from "./declared-policies";
import { diffBackupPolicy } from "./diff";
import { backupPolicyShape, backupsWish, type BackupPolicyInputs } from "./inputs";
import { BACKUP_POLICY_SECRETS, BackupPolicyState, policyState } from "./outputs";
import { resetWords } from "./removal-words";

export type BackupPolicyDefinition = ResourceDefinition<typeof backupPolicyShape, BackupPolicyState>;

export function backupPolicyDefinition(operations: Operations): BackupPolicyDefinition {
  const declared = declaredPolicies();
  return {
    noun: "backup policy",
    shape: backupPolicyShape,
    state: BackupPolicyState,
    computed: [],
    // A destination may hold credentials, and a named property's value is printed.
    nameable: ["addon"],
    secrets: BACKUP_POLICY_SECRETS,
    subject: ({ addon }) => (typeof addon === "string" ? addon : undefined),

    check: (call) => checkBackupPolicy(operations, declared, call),
    diff: (call) => diffBackupPolicy(operations, call),

    ...facetLifecycle<typeof backupPolicyShape, BackupPolicyState>(operations, {
      instanceOf: (record) => record.backups?.instance,
      apply: (platform, { name, claim, given, inputs }, task) =>
        operations.setBackups(platform, { name, claim, given, wish: wishOf(inputs) }, task),
      stateOf: policyState,
    }),

    async read({ id, state, props, hidden }) {
      const choice = PlatformInput.parse(state?.platform ?? props["platform"]);
      const platform = await operations.openPlatform(choice);
      if (state !== undefined) await requireHome(platform, state, { operation: "read", subject: id });
      const record = await platform.load(id);
      if (record?.backups === undefined) return undefined;
      const token = state?.__instance ?? "";
      if (state !== undefined && instanceStanding(record.backups.instance, token) === "stale")
        return undefined;
      const rest = { platform: choice, token, phase: state?.__phase ?? "ready", given: hidden.given };
      const found = await policyState(platform, record, rest);
      const { addon, schedule, retention, destination, credentials, encryption, alerts } = found;
      const wish = { schedule, retention, destination, credentials, encryption, alerts };
      return { id, state: found, inputs: { addon, ...wish, platform: choice } };
    },

    async delete({ id, state, row, task }) {
      const platform = await operations.openPlatform(state.platform);
      await requireHome(platform, state, { operation: "reset the backups of", subject: id });
      const from = (await platform.load(id))?.backups?.wish ?? DEFAULT_BACKUPS;
      const outcome = await operations.resetBackups(platform, { name: id, token: state.__instance }, task);
      if (outcome === "reset") {
        const change = { name: id, from, to: DEFAULT_BACKUPS };
        await row.info(resetWords(id, await operations.previewRetention(platform, change, task)));
      }
      if (outcome === "stale") await row.info(`${id} has a newer backup policy: nothing was changed`);
    },
  };
}

/** Every part of it is known once something is changed. */
function wishOf(inputs: BackupPolicyInputs): BackupsWish {
  const wish = backupsWish(inputs);
  if (wish === undefined) throw new Error(`the backup policy of ${inputs.addon} is not known`);
  return wish;
}
