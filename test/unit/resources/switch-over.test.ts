import { beforeEach, expect, test } from "vitest";
import type { Handler } from "../../../provider/pulumi/define-resource";
import type { Properties } from "../../../provider/pulumi/properties";
import { refresh, up, type FakeResource } from "../../support/fake-program";
import { following as program, followerWorld } from "../../support/follower-program";
import type { FakeEngine, FakeWorld } from "../../support/pulumi-fakes";

let world: FakeWorld;
let engine: FakeEngine;
let follower: Handler;
beforeEach(async () => {
  ({ world, engine, follower } = await followerWorld());
});

const changes = async ({ inputs, id, outs }: FakeResource, wanted: Properties) => {
  const checked = await follower.check(inputs, wanted);
  expect(checked.failures).toEqual([]);
  return follower.diff(id, outs, checked.inputs);
};

/** What `redis-addon follower switchover` leaves in the records. */
function exchangedByPerson(position: "switched-over" | undefined): void {
  const [lead, copy] = [world.records.get("lead"), world.records.get("copy")];
  if (lead === undefined || copy?.replication === undefined) throw new Error("there is no pair");
  const wish = { kind: "addon", addon: "lead", ...(position && { position }) } as const;
  world.records.set("copy", { ...copy, replication: { ...copy.replication, wish } });
  const { demoted: _, ...leads } = lead;
  world.records.set(
    "lead",
    position === undefined ? leads : { ...leads, demoted: { to: "copy", createdAt: copy.createdAt } },
  );
}

test("exchanging the roles is an update, exchanging them back another, and neither replaces anything", async () => {
  const { resource } = await up(follower, program());
  expect(resource.outs).toMatchObject({ switchedOver: false, role: "follower" });
  const switched = await up(follower, program({ switchedOver: true }), resource);
  expect(switched).toMatchObject({ did: "updated", replaces: [] });
  expect(switched.resource.outs).toMatchObject({ switchedOver: true, role: "leader", leader: "lead" });
  expect((await up(follower, program({ switchedOver: true }), switched.resource)).did).toBe("nothing");
  const back = await up(follower, program(), switched.resource);
  expect(back).toMatchObject({ did: "updated", replaces: [] });
  expect(back.resource.outs).toMatchObject({ switchedOver: false, role: "follower" });
});

test("how a switchover went stands on the row", async () => {
  const { resource } = await up(follower, program());
  world.replicated = { switchover: { worstStallMs: 41, readonlyAnswers: 7, readonlyMs: 60 } };
  await up(follower, program({ switchedOver: true }), resource);
  const said = engine.messages.filter(({ ephemeral }) => !ephemeral).map(({ message }) => message);
  expect(said.join("\n")).toMatch(/41 ms.*7 times/s);
});

test("a switchover by a person is a change in the preview, and drift in a refresh", async () => {
  const { resource } = await up(follower, program());
  exchangedByPerson("switched-over");
  expect(await changes(resource, program())).toMatchObject({ changes: true, replaces: [] });
  const refreshed = await refresh(follower, resource);
  expect(refreshed?.inputs).toMatchObject({ switchedOver: true });
  expect(refreshed?.outs).toMatchObject({ switchedOver: true, role: "leader" });
  // Whoever says so in the program as well changes nothing any more.
  if (refreshed === undefined) throw new Error("it is gone");
  expect((await up(follower, program({ switchedOver: true }), refreshed)).did).toBe("nothing");
  expect((await up(follower, program(), refreshed)).did).toBe("updated");
});

test("one back by a person is a change where the program says that the roles are exchanged", async () => {
  const first = await up(follower, program());
  const { resource } = await up(follower, program({ switchedOver: true }), first.resource);
  exchangedByPerson(undefined);
  expect(await changes(resource, program({ switchedOver: true }))).toMatchObject({ changes: true });
  expect((await refresh(follower, resource))?.inputs).toMatchObject({ switchedOver: false });
});

test("a leader that this data home doesn't have can't exchange its role: the preview says so", async () => {
  const leader = { host: "10.0.0.1", port: 6379, password: "hush-hush" };
  const { failures } = await follower.check({}, program({ leader, switchedOver: true }));
  expect(JSON.stringify(failures)).toMatch(/switchedOver/);
});

test("a RedisFollower for the one that gave its role away is refused in the preview, by name", async () => {
  await up(follower, program());
  exchangedByPerson("switched-over");
  const { failures } = await follower.check({}, program({ addon: "lead", leader: "copy" }));
  expect(failures).toEqual([
    {
      property: "addon",
      reason: expect.stringContaining("the RedisFollower of copy says who leads") as string,
    },
  ]);
});
