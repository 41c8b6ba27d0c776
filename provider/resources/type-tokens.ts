/**
 * What states call our resources. A wire format: the engine finds the provider by everything before the last colon,
 * and a resource recorded under another token would be deleted and made again.
 */
export const TYPE_TOKENS = {
  redisAddon: "pulumi-nodejs:dynamic/redis-addon:RedisAddon",
  redisFollower: "pulumi-nodejs:dynamic/redis-addon:RedisFollower",
  backupPolicy: "pulumi-nodejs:dynamic/redis-addon:BackupPolicy",
} as const;

export type ResourceExport = keyof typeof TYPE_TOKENS;
