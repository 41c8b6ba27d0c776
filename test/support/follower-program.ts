import { defineResource, type Handler } from "../../provider/pulumi/define-resource";
import type { Properties } from "../../provider/pulumi/properties";
import { redisAddonDefinition } from "../../provider/resources/redis-addon/definition";
import { redisFollowerDefinition } from "../../provider/resources/redis-follower/definition";
import { sdkInputs, up } from "./fake-program";
import { fakeEngine, FakeWorld, type FakeEngine } from "./pulumi-fakes";

const URN = "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/redis-addon:X::x";

/** A world with the add-ons `lead` and `copy`, and the handler of RedisFollower in it. */
export async function followerWorld(): Promise<{ world: FakeWorld; engine: FakeEngine; follower: Handler }> {
  const world = new FakeWorld();
  const engine = fakeEngine();
  const addon = defineResource(redisAddonDefinition(world.operations), engine);
  for (const name of ["lead", "copy"]) await up(addon, sdkInputs(URN, { plan: "s_mono", name }));
  return { world, engine, follower: defineResource(redisFollowerDefinition(world.operations), engine) };
}

/** A program in which `copy` follows `lead`, unless the inputs say otherwise. */
export function following(inputs: Properties = {}): Properties {
  const computed = ["role", "leaderHost", "leaderPort", "replicationId"];
  return sdkInputs(URN, { addon: "copy", leader: "lead", ...inputs }, computed);
}
