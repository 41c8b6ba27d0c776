// Once, from the root of the checkout:
//   npm run pulumi -- stack init dev -C examples/leader-follower
// and then, as often as you like:
//   npm run pulumi -- up -C examples/leader-follower
// The two exchange their roles, and the outputs with them:
//   npm run pulumi -- config set switchedOver true -C examples/leader-follower
//   npm run pulumi -- up -C examples/leader-follower
import * as pulumi from "@pulumi/pulumi";
import { ReplicatedRedis } from "./replicated-redis";

const config = new pulumi.Config();

const sessions = new ReplicatedRedis("sessions", {
  plan: "s_mono",
  evictionPolicy: "volatile-lru",
  backups: { schedule: { every: "6h" }, retention: { days: 30 } },
  switchedOver: config.requireBoolean("switchedOver"),
});

export const redisUrl = sessions.redisUrl;
export const readOnlyUrl = sessions.readOnlyUrl;
