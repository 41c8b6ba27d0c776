// Moves a Redis that this program doesn't manage into an add-on. README.md beside this file says how, step by step.
import * as pulumi from "@pulumi/pulumi";
import { RedisAddon, RedisFollower } from "pulumi-redis-addon";

const config = new pulumi.Config();

// A follower needs as many databases as its leader has. A Redis has 16 unless it was set up otherwise, and this is
// the smallest plan with as many.
const shop = new RedisAddon("shop", { plan: "xxxl_mono" });

const moving = new RedisFollower("shop-moves", {
  addon: shop,
  leader: {
    host: config.require("oldHost"),
    port: config.requireNumber("oldPort"),
    password: config.requireSecret("oldPassword"),
  },
});

export const role = moving.role;
export const redisUrl = shop.redisUrl;
