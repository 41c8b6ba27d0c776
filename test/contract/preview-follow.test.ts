import { expect, it } from "vitest";
import type { ReplicationWish } from "../../provider/core/facets";
import { addressAsLeader } from "../../provider/core/as-leader";
import { previewFollow } from "../../provider/operations/preview-follow";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { freePort, startRedisServer } from "../support/redis-server";
import { make, run } from "./agent-support";
import { copyOfData, fill, makePair, marked, whileDown } from "./old-leader-support";

const addon = (name: string): ReplicationWish => ({ kind: "addon", addon: name });
const external = (port: number, password = ""): ReplicationWish => ({
  kind: "external",
  ...{ host: "127.0.0.1", port, password },
});

async function seen(home: TestHome, name: string | undefined, wish: ReplicationWish) {
  const { findings, replaces } = await previewFollow(home.platform, { name, wish });
  const told = findings.map(
    ({ severity, transient, code }) => `${severity}${transient ? " for now" : ""}: ${code}`,
  );
  return replaces === undefined ? told : [...told, `would lose ${replaces.held.keys}`];
}

it("a preview tells what stands against a leader, and touches neither", async () => {
  await using home = await makeTestHome();
  const { record: lead } = await make(home, "lead", { plan: "m_mono" });
  const { record: copy } = await make(home, "copy", { plan: "m_mono" });
  await make(home, "tiny");
  await run(copy, "SET", "mine", "1");
  await using foreign = await startRedisServer({ args: ["--requirepass", "pw", "--databases", "1"] });

  expect(await seen(home, "copy", addon("lead"))).toEqual(["would lose 1"]);
  expect(await seen(home, "copy", external(foreign.port, "pw"))).toEqual(["would lose 1"]);
  expect(await seen(home, "tiny", external(foreign.port, "pw"))).toEqual([]);
  expect(await seen(home, "tiny", addon("lead")), "by the plan").toEqual(["refuse: too-few-databases"]);
  expect(await seen(home, "tiny", external(foreign.port, "no"))).toEqual(["refuse: wrong-password"]);
  expect(await seen(home, "tiny", external(await freePort()))).toEqual(["refuse for now: refused"]);
  // Its own address, as somebody may give it.
  const { host, port, username, password } = addressAsLeader(copy);
  const itself = { kind: "external", host, port, username, password } as const;
  expect(await seen(home, "copy", itself)).toContain("refuse: leader-is-itself");

  // What isn't there yet can't be asked.
  expect(await seen(home, undefined, external(foreign.port, "no"))).toEqual(["refuse: wrong-password"]);
  expect(await seen(home, "not yet", external(await freePort()))).toEqual(["refuse for now: refused"]);
  expect(await seen(home, "not yet", addon("lead"))).toEqual([]);
  expect(await seen(home, "copy", addon("not yet"))).toEqual([]);
  expect([await home.platform.load("lead"), await home.platform.load("copy")]).toEqual([lead, copy]);
});

it("a preview finds a loop through a chain, and asks no permission for what is shared", async () => {
  await using home = await makeTestHome();
  for (const name of ["first", "second", "third", "sibling"]) await make(home, name);
  const { record: first } = await make(home, "first");
  await run(first, "SET", "k", "v");
  await follows(home, { name: "second", leader: "first" });
  await follows(home, { name: "third", leader: "second" });
  await follows(home, { name: "sibling", leader: "first" });
  expect(await seen(home, "first", addon("third"))).toEqual(["refuse: replication-loop"]);
  const { findings } = await previewFollow(home.platform, { name: "first", wish: addon("third") });
  expect(findings[0]?.cause).toBe("it would follow itself: first follows third follows second follows first");
  await expect(follows(home, { name: "second", leader: "third" })).rejects.toMatchObject({
    code: "replication-loop",
  });
  expect(await seen(home, "third", addon("second")), "as it does").toEqual([]);
  expect(await seen(home, "third", addon("first")), "its leader's leader").toEqual([]);
  expect(await seen(home, "sibling", addon("third")), "another branch").toEqual([]);
});

it("a leader that is started while an update waits for it is followed", async () => {
  await using home = await makeTestHome();
  await make(home, "copy");
  const port = await freePort();
  const leader = { kind: "external", host: "127.0.0.1", port, password: "" } as const;
  const following = follows(home, { name: "copy", leader });
  const waits = Promise.withResolvers<void>();
  const push = home.messages.push.bind(home.messages);
  home.messages.push = (...said) => {
    if (said.some((message) => message.startsWith("waiting for the leader"))) waits.resolve();
    return push(...said);
  };
  await waits.promise;
  await using started = await startRedisServer({ args: ["--databases", "1"], port });
  await following;
  expect(await started.client.role()).toMatchObject(["master", expect.anything(), [expect.anything()]]);
});

it("a leader whose data are older than they were is named as such, not as one that refuses a right", async () => {
  await using home = await makeTestHome();
  const { lead } = await makePair(home, 50);
  await make(home, "another");
  await marked(home, 50);
  const older = await copyOfData(home);
  await fill(lead, 100);
  await marked(home, 100);
  await whileDown(home, "lead", () => older.put());
  await eventually("it is distrusted", async () => (await home.platform.placement("lead"))?.distrusted);
  expect(await seen(home, "another", addon("lead"))).toEqual(["refuse: leader-distrusted"]);
  await expect(follows(home, { name: "another", leader: "lead" })).rejects.toMatchObject({
    code: "leader-distrusted",
    cause: expect.stringMatching(/^the leader lead: its data are older/) as unknown,
  });
});
