// A copy, kept in sync, of a Redis that this program doesn't manage. Once, from the root of the checkout:
//   npm run pulumi -- stack init dev -C examples/javascript
//   npm run pulumi -- config set leaderPort 6379 -C examples/javascript
//   npm run pulumi -- config set leaderPassword --secret -C examples/javascript    (asks for it)
// and then, as often as you like:
//   npm run pulumi -- up -C examples/javascript
import * as pulumi from "@pulumi/pulumi";
import { RedisAddon, RedisFollower } from "pulumi-redis-addon";

const config = new pulumi.Config();

// A follower needs as many databases as its leader has. A Redis has 16 unless it was set up otherwise, and this
// is the smallest plan with as many.
const copy = new RedisAddon("copy", { plan: "xxxl_mono" });

new RedisFollower("copy-follows", {
  addon: copy,
  leader: {
    host: config.require("leaderHost"),
    port: config.requireNumber("leaderPort"),
    password: config.requireSecret("leaderPassword"),
  },
});

export const redisUrl = copy.redisUrl;
