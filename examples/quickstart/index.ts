import { BackupPolicy, RedisAddon, RedisFollower } from "pulumi-redis-addon";

// The premium tier lets an add-on have a backup policy of its own.
const cache = new RedisAddon("cache", { plan: "s_mono", tier: "premium", evictionPolicy: "allkeys-lru" });

new BackupPolicy("cache-backups", { addon: cache, schedule: { every: "6h" }, retention: { days: 30 } });

// Every add-on is a leader, until a RedisFollower makes it follow one.
const copy = new RedisAddon("cache-copy", { plan: "s_mono" });

const following = new RedisFollower("cache-copy-follows", { addon: copy, leader: cache });

export const leader = cache.name;
export const follower = following.addon;
export const redisUrl = cache.redisUrl;
export const followerUrl = copy.redisUrl;
