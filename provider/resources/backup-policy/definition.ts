import type { BackupsWish } from "../../core/facets";
import type { ResourceDefinition } from "../../pulumi/definition";
import { createClaim, instanceStanding, updateClaim } from "../claims";
import { diffFacet } from "../facet-diff";
import { requireHome } from "../home-guard";
import type { Operations } from "../operations";
import { PlatformInput } from "../recorded";
import { checkBackupPolicy } from "./check";
import { backupPolicyShape, backupsWish, type BackupPolicyInputs } from "./inputs";
import { BACKUP_POLICY_SECRETS, BackupPolicyState, policyState } from "./outputs";

export type BackupPolicyDefinition = ResourceDefinition<typeof backupPolicyShape, BackupPolicyState>;

export function backupPolicyDefinition(operations: Operations): BackupPolicyDefinition {
  return {
    noun: "backup policy",
    shape: backupPolicyShape,
    state: BackupPolicyState,
    computed: [],
    // A destination may hold credentials, and a named property's value is printed.
    nameable: ["addon"],
    secrets: BACKUP_POLICY_SECRETS,
    subject: ({ addon }) => (typeof addon === "string" ? addon : undefined),

    check: (call) => checkBackupPolicy(operations, call),
    diff: (call) => diffFacet(operations, { of: (record) => record.backups, wanted: backupsWish }, call),

    async create({ inputs, hidden, token, task }) {
      const { addon } = inputs;
      const platform = await operations.openPlatform(inputs.platform);
      const claim = createClaim(token, hidden, addon);
      const request = { name: addon, claim, wish: wishOf(inputs), given: hidden.given };
      const record = await operations.setBackups(platform, request, task);
      const rest = { platform: inputs.platform, token, phase: "ready", given: hidden.given } as const;
      return { id: addon, state: await policyState(platform, record, rest) };
    },

    async update({ id, inputs, hidden, state, token, task }) {
      const platform = await operations.openPlatform(inputs.platform);
      await requireHome(platform, state, { operation: "change", subject: id });
      const recorded = (await platform.load(id))?.backups;
      const tokens = { carried: state.__instance, fresh: token };
      const claim = updateClaim(recorded?.instance, tokens, hidden, id);
      const request = { name: id, claim, wish: wishOf(inputs), given: hidden.given };
      const record = await operations.setBackups(platform, request, task);
      const rest = {
        platform: inputs.platform,
        token: claim.token,
        phase: "ready",
        given: hidden.given,
      } as const;
      return policyState(platform, record, rest);
    },

    async leftBehind({ inputs, hidden, token, state }) {
      const platform = await operations.openPlatform(inputs.platform);
      const record = await platform.load(inputs.addon);
      if (record?.backups === undefined) return undefined;
      const held = record.backups.instance.token === token ? token : state?.__instance;
      if (held === undefined) return undefined;
      const rest = {
        platform: inputs.platform,
        token: held,
        phase: "provisioning",
        given: hidden.given,
      } as const;
      return { id: record.name, state: await policyState(platform, record, rest) };
    },

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
      const { addon, schedule, retention, destination, credentials, encryption } = found;
      const inputs = { addon, schedule, retention, destination, credentials, encryption, platform: choice };
      return { id, state: found, inputs };
    },

    async delete({ id, state, row, task }) {
      const platform = await operations.openPlatform(state.platform);
      await requireHome(platform, state, { operation: "reset the backups of", subject: id });
      const outcome = await operations.resetBackups(platform, { name: id, token: state.__instance }, task);
      if (outcome === "reset")
        await row.info(`${id} is backed up daily and for 7 days again; no backup was removed`);
      if (outcome === "stale")
        await row.info(`${id} has a newer backup policy of another resource: nothing was changed`);
    },
  };
}

/** Every part of it is known once something is changed. */
function wishOf(inputs: BackupPolicyInputs): BackupsWish {
  const wish = backupsWish(inputs);
  if (wish === undefined) throw new Error(`the backup policy of ${inputs.addon} is not known`);
  return wish;
}
