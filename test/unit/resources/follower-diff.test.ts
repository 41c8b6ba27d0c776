import { beforeEach, expect, test } from "vitest";
import type { Handler } from "../../../provider/pulumi/define-resource";
import type { Properties } from "../../../provider/pulumi/properties";
import { inClear, refresh, up } from "../../support/fake-program";
import { following as follows, followerWorld } from "../../support/follower-program";
import type { FakeEngine, FakeWorld } from "../../support/pulumi-fakes";

const EXTERNAL = { host: "10.0.0.1", port: 6379, password: "hush-hush" };

let world: FakeWorld;
let engine: FakeEngine;
let follower: Handler;
beforeEach(async () => {
  ({ world, engine, follower } = await followerWorld());
});

/** What the preview of a change from one program to another says, and whether it is one. */
async function preview(from: Properties, to: Properties) {
  const { resource } = await up(follower, follows(from));
  engine.messages.length = 0;
  const { inputs, failures } = await follower.check(resource.inputs, follows(to));
  expect(failures ?? []).toEqual([]);
  const { changes, replaces } = await follower.diff("copy", resource.outs, inClear(inputs));
  return { changes, replaces, said: engine.messages.map(({ message }) => message) };
}

test.each<[string, Properties, Properties, RegExp[]]>([
  ["nothing", {}, {}, []],
  ["a promotion", {}, { promote: true }, [/^copy will be a leader.*; lead is not touched$/]],
  ["another leader", {}, { leader: EXTERNAL }, [/^copy will follow 10\.0\.0\.1:6379 instead of lead$/]],
  ["a switchover", {}, { switchedOver: true }, [/^lead and copy will exchange their roles: copy leads/]],
  ["one back", { switchedOver: true }, {}, [/^lead and copy will exchange their roles: lead leads again$/]],
  [
    "independence after one",
    { switchedOver: true },
    { promote: true },
    [/^copy stays a leader, and lead follows/],
  ],
  [
    "another password",
    { leader: EXTERNAL },
    { leader: { ...EXTERNAL, password: "hush-now" } },
    [/^copy will follow 10\.0\.0\.1:6379 with another password$/],
  ],
  ["following again", { promote: true }, {}, [/^copy will follow lead again/]],
])("%s is announced, and replaces nothing", async (_, from, to, words) => {
  const { changes, replaces, said } = await preview(from, to);
  expect(replaces).toEqual([]);
  expect(changes).toBe(words.length > 0);
  expect(said).toEqual(words.map((each) => expect.stringMatching(each) as string));
});

test("a follower that was halted is tried again by an update, and the preview says why it was", async () => {
  const { resource } = await up(follower, follows());
  const record = world.records.get("copy");
  if (record?.replication === undefined) throw new Error("copy doesn't follow");
  const halted = { why: "the snapshot can't be loaded", since: "2026-01-02T00:00:00Z" };
  world.records.set("copy", { ...record, replication: { ...record.replication, halted } });
  engine.messages.length = 0;
  expect((await up(follower, follows(), resource)).did).toBe("updated");
  expect(engine.messages.map(({ message }) => message)).toContainEqual(
    expect.stringContaining("it follows nobody since 2026-01-02T00:00:00Z: the snapshot can't be loaded"),
  );
});

test("what was promoted stays so over a refresh, and its role is an output", async () => {
  const { resource } = await up(follower, follows({ promote: true }));
  expect(resource.outs).toMatchObject({ role: "leader", promote: true, switchedOver: false });
  const refreshed = await refresh(follower, resource);
  expect((await up(follower, follows({ promote: true }), refreshed)).did).toBe("nothing");
});

test("the safety backup and the final offset are told on the resource's row", async () => {
  const { resource } = await up(follower, follows());
  world.replicated = { finalOffset: 1234 };
  engine.messages.length = 0;
  await up(follower, follows({ promote: true }), resource);
  expect(engine.messages.map(({ message }) => message)).toContainEqual(
    expect.stringContaining("up to offset 1234 of its leader's history"),
  );
});
