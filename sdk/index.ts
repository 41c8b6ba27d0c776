export {
  BackupPolicy,
  type BackupPolicyArgs,
  type Encryption,
  type Retention,
  type Schedule,
  type StoreCredentials,
} from "./backup-policy";
export type { LocalPlatform, Platform } from "./platform";
export {
  RedisAddon,
  type AccessLevel,
  type EvictionPolicy,
  type PlanName,
  type RedisAddonArgs,
  type Tier,
} from "./redis-addon";
export { RedisFollower, type ExternalLeader, type RedisFollowerArgs } from "./redis-follower";
