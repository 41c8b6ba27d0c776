// An add-on, and a drill that shows whether its backups can be restored. README.md beside this file says how to hold it.
import * as pulumi from "@pulumi/pulumi";
import { RedisAddon } from "pulumi-redis-addon";
import { RestoreDrill } from "./restore-drill";

const config = new pulumi.Config();

const shop = new RedisAddon("shop", { plan: "s_mono" });

const drill = config.requireBoolean("drill")
  ? new RestoreDrill("shop-drill", { addon: shop, atLeastKeys: config.requireNumber("drillAtLeastKeys") })
  : undefined;

export const name = shop.name;
export const redisUrl = shop.redisUrl;
export const restored = drill === undefined ? "no drill is held" : { backup: drill.backup, keys: drill.keys };
