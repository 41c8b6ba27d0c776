import { engineEnvironment } from "./pulumi/environment";
import { defineResource } from "./pulumi/define-resource";
import { backupPolicyDefinition } from "./resources/backup-policy/definition";
import { operations } from "./resources/operations";
import { redisAddonDefinition } from "./resources/redis-addon/definition";
import { redisFollowerDefinition } from "./resources/redis-follower/definition";
import { systemClock } from "./system/clock";

const environment = engineEnvironment(systemClock);

// The names are a wire format: recorded states ask for them (resources/provider-text.ts).
export const redisAddon = defineResource(redisAddonDefinition(operations), environment);
export const redisFollower = defineResource(redisFollowerDefinition(operations), environment);
export const backupPolicy = defineResource(backupPolicyDefinition(operations), environment);
