import { expect, test } from "vitest";
import { defineResource } from "../../../provider/pulumi/define-resource";
import type { Properties } from "../../../provider/pulumi/properties";
import { redisAddonDefinition } from "../../../provider/resources/redis-addon/definition";
import { inClear, sdkInputs, up } from "../../support/fake-program";
import { following, followerWorld } from "../../support/follower-program";

const TOO_FEW = {
  code: "too-few-databases",
  severity: "refuse",
  cause: "the leader has 16 databases and this add-on has 5",
  hint: "Choose the plan xxxl_mono",
  transient: false,
} as const;

const URN = "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/redis-addon:RedisAddon::sized";
const sized = (plan: string): Properties => sdkInputs(URN, { plan, name: "sized" });

test("an add-on that is too small is refused, but not where the same program gives it another plan", async () => {
  const { world, engine, follower } = await followerWorld();
  const addon = defineResource(redisAddonDefinition(world.operations), engine);
  const { resource } = await up(addon, sized("m_mono"));
  world.followPreview = { findings: [TOO_FEW] };
  const check = () => follower.check({}, following({ addon: "sized" }));
  expect((await check()).failures).toEqual([
    { property: "", reason: expect.stringContaining("the leader has 16 databases") as string },
  ]);

  const { inputs } = await addon.check(resource.inputs, sized("xxxl_mono"));
  await addon.diff("sized", resource.outs, inClear(inputs));
  engine.messages.length = 0;
  expect((await check()).failures ?? []).toEqual([]);
  expect(engine.messages.map(({ message }) => message)).toEqual([
    `${TOO_FEW.cause} at present: the update changes sized first, and then checks this again`,
  ]);

  await up(addon, sized("xxxl_mono"), resource);
  expect((await check()).failures).toHaveLength(1);
});
