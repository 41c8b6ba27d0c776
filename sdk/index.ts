export { backupPolicies, type BackupPoliciesArgs } from "./backup-policies";
export {
  BackupPolicy,
  type Alerts,
  type BackupPolicyArgs,
  type Encryption,
  type Retention,
  type Schedule,
  type StoreCredentials,
} from "./backup-policy";
export { followerStatus, type FollowerStatus, type FollowerStatusOptions } from "./follower-status";
export type { LocalPlatform, Platform } from "./platform";
export {
  RedisAddon,
  type AccessLevel,
  type BackupHealthState,
  type CustomPlan,
  type Deletion,
  type EvictionPolicy,
  type Persistence,
  type PlanName,
  type RedisAddonArgs,
  type RedisEnvironment,
  type Tier,
} from "./redis-addon";
export { RedisFollower, type ExternalLeader, type LeaderTls, type RedisFollowerArgs } from "./redis-follower";
export type { DecryptionKey, RestoreFrom } from "./restore-from";
