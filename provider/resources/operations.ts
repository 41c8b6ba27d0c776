import type * as Backups from "../operations/backups";
import type * as EncryptionProblem from "../operations/encryption-problem";
import type * as Follow from "../operations/follow";
import type * as OpenPlatform from "../operations/open-platform";
import type * as Provision from "../operations/provision";
import type * as Remove from "../operations/remove";
import type * as UsageOf from "../operations/usage";

/** Everything that the three resources do, injected so that their lifecycles can be tested as tables. */
export interface Operations {
  readonly openPlatform: typeof OpenPlatform.openPlatform;
  readonly provision: typeof Provision.provision;
  readonly usageOf: typeof UsageOf.usageOf;
  readonly remove: typeof Remove.remove;
  readonly follow: typeof Follow.follow;
  readonly promote: typeof Follow.promote;
  readonly setBackups: typeof Backups.setBackups;
  readonly resetBackups: typeof Backups.resetBackups;
  readonly encryptionProblem: typeof EncryptionProblem.encryptionProblem;
}

/** The real ones, each loaded when it is first used: the engine waits for this process to start. */
export const operations: Operations = {
  openPlatform: async (...args) => (await import("../operations/open-platform.js")).openPlatform(...args),
  provision: async (...args) => (await import("../operations/provision.js")).provision(...args),
  usageOf: async (...args) => (await import("../operations/usage.js")).usageOf(...args),
  remove: async (...args) => (await import("../operations/remove.js")).remove(...args),
  follow: async (...args) => (await import("../operations/follow.js")).follow(...args),
  promote: async (...args) => (await import("../operations/follow.js")).promote(...args),
  setBackups: async (...args) => (await import("../operations/backups.js")).setBackups(...args),
  resetBackups: async (...args) => (await import("../operations/backups.js")).resetBackups(...args),
  encryptionProblem: async (...args) =>
    (await import("../operations/encryption-problem.js")).encryptionProblem(...args),
};
