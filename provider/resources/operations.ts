import type * as BackupHealth from "../operations/backup-health";
import type * as Backups from "../operations/backups";
import type * as EncryptionProblem from "../operations/encryption-problem";
import type * as OpenPlatform from "../operations/open-platform";
import type * as PreviewFollow from "../operations/preview-follow";
import type * as PreviewRetention from "../operations/preview-retention";
import type * as PreviewRestore from "../operations/preview-restore";
import type * as Promote from "../operations/promote";
import type * as Provision from "../operations/provision";
import type * as Remove from "../operations/remove";
import type * as Replicate from "../operations/replicate";
import type * as ReplicationId from "../operations/replication-id";
import type * as UsageOf from "../operations/usage";

/** Everything that the three resources do, injected so that their lifecycles can be tested as tables. */
export interface Operations {
  readonly openPlatform: typeof OpenPlatform.openPlatform;
  readonly provision: typeof Provision.provision;
  readonly usageOf: typeof UsageOf.usageOf;
  readonly previewRestore: typeof PreviewRestore.previewRestore;
  readonly backupHealthOf: typeof BackupHealth.backupHealthOf;
  readonly remove: typeof Remove.remove;
  readonly previewFollow: typeof PreviewFollow.previewFollow;
  readonly replicate: typeof Replicate.replicate;
  readonly stopFollowing: typeof Promote.stopFollowing;
  readonly replicationId: typeof ReplicationId.replicationId;
  readonly setBackups: typeof Backups.setBackups;
  readonly resetBackups: typeof Backups.resetBackups;
  readonly previewRetention: typeof PreviewRetention.previewRetention;
  readonly encryptionProblem: typeof EncryptionProblem.encryptionProblem;
}

/** The real ones, each loaded when it is first used: the engine waits for this process to start. */
export const operations: Operations = {
  openPlatform: async (...args) => (await import("../operations/open-platform.js")).openPlatform(...args),
  provision: async (...args) => (await import("../operations/provision.js")).provision(...args),
  usageOf: async (...args) => (await import("../operations/usage.js")).usageOf(...args),
  previewRestore: async (...args) =>
    (await import("../operations/preview-restore.js")).previewRestore(...args),
  backupHealthOf: async (...args) => (await import("../operations/backup-health.js")).backupHealthOf(...args),
  remove: async (...args) => (await import("../operations/remove.js")).remove(...args),
  previewFollow: async (...args) => (await import("../operations/preview-follow.js")).previewFollow(...args),
  replicate: async (...args) => (await import("../operations/replicate.js")).replicate(...args),
  stopFollowing: async (...args) => (await import("../operations/promote.js")).stopFollowing(...args),
  replicationId: async (...args) => (await import("../operations/replication-id.js")).replicationId(...args),
  setBackups: async (...args) => (await import("../operations/backups.js")).setBackups(...args),
  resetBackups: async (...args) => (await import("../operations/backups.js")).resetBackups(...args),
  previewRetention: async (...args) =>
    (await import("../operations/preview-retention.js")).previewRetention(...args),
  encryptionProblem: async (...args) =>
    (await import("../operations/encryption-problem.js")).encryptionProblem(...args),
};
