import { expect, test } from "vitest";
import type { BackupsWish } from "../../provider/core/facets";
import { resetBackups, setBackups } from "../../provider/operations/backups";
import type { Claim } from "../../provider/platforms/contract";
import { carries, makeTestHome, OWNER, type TestHome } from "../support/data-home";
import { make } from "./agent-support";

const urnOf = (name: string, stack = "dev") =>
  `urn:pulumi:${stack}::shop::pulumi-nodejs:dynamic/redis-addon:BackupPolicy::${name}`;
const creates = (token: string, urn: string, stack = "dev"): Claim => ({
  kind: "create",
  token,
  caller: { ...OWNER, stack, urn },
});
const WISH: BackupsWish = { schedule: { daily: "03:00" }, retention: { days: 9 } };

/** Sets the policy of the add-on `cache`, and returns what is recorded of it. */
async function sets(home: TestHome, claim: Claim, wish = WISH) {
  const record = await setBackups(home.platform, { name: "cache", claim, wish, given: [] }, home.task);
  return record.backups;
}

test("a second policy is refused by name, and leaves the first in force", async () => {
  await using home = await makeTestHome();
  await make(home, "cache");
  const first = await sets(home, creates("p1", urnOf("first")));
  await expect(sets(home, creates("p2", urnOf("second")))).rejects.toMatchObject({
    code: "policy-exists",
    subject: "cache",
    cause: expect.stringContaining(`the resource first (${urnOf("first")})`),
    hint: expect.stringMatching(/^Change that one, or remove it first/),
  });
  expect((await home.platform.load("cache"))?.backups).toEqual(first);

  // Two at once: one of them comes first.
  await resetBackups(home.platform, { name: "cache", token: "p1" }, home.task);
  const both = await Promise.allSettled(["a", "b"].map((name) => sets(home, creates(name, urnOf(name)))));
  expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
});

test("the same resource makes its policy as often as it has to, and changes it whatever it is called by then", async () => {
  await using home = await makeTestHome();
  await make(home, "cache");
  await sets(home, creates("p1", urnOf("first")));
  // Repeated after an interruption; made anew by a replacement, or once the state forgot it.
  await sets(home, creates("p1", urnOf("first")));
  await sets(home, creates("p2", urnOf("first")));
  // What is replaced is deleted last, and ends nothing.
  expect(await resetBackups(home.platform, { name: "cache", token: "p1" }, home.task)).toBe("stale");
  const renamed: Claim = { kind: "carry", token: "p2", caller: { ...OWNER, urn: urnOf("renamed") } };
  expect(await sets(home, renamed)).toMatchObject({ urn: urnOf("renamed"), wish: WISH });
  await expect(sets(home, creates("p3", urnOf("first")))).rejects.toMatchObject({ code: "policy-exists" });
  await sets(home, creates("p4", urnOf("renamed")));
});

test("a policy of another stack is none any more once the add-on was handed over", async () => {
  await using home = await makeTestHome();
  await make(home, "cache");
  await sets(home, creates("p1", urnOf("first")));
  const prod = creates("p2", urnOf("second", "prod"), "prod");
  await expect(sets(home, prod)).rejects.toMatchObject({ code: "foreign-owner" });
  await home.platform.handOver({ name: "cache", to: { ...OWNER, stack: "prod" } }, home.task);
  expect(await sets(home, prod)).toMatchObject({ urn: urnOf("second", "prod") });
});

test("a policy that was recorded without a URN, by an old version or by a person, is taken over", async () => {
  await using home = await makeTestHome();
  await make(home, "cache");
  await sets(home, { kind: "create", token: "p1", caller: OWNER });
  expect(await sets(home, creates("p2", urnOf("second")))).toMatchObject({ urn: urnOf("second") });
  await resetBackups(home.platform, { name: "cache", token: "p2" }, home.task);
  await sets(home, { kind: "person" });
  expect(await sets(home, creates("p3", urnOf("third")))).toMatchObject({ urn: urnOf("third") });
});

test("a webhook is recorded for the agent, and changes with the policy", async () => {
  await using home = await makeTestHome();
  await make(home, "cache");
  const alerts = { webhook: "https://hooks.example.com/x" };
  expect((await sets(home, creates("p1", urnOf("first")), { ...WISH, alerts }))?.wish).toEqual({
    ...WISH,
    alerts,
  });
  expect((await home.platform.load("cache"))?.backups?.wish.alerts).toEqual(alerts);
  expect((await sets(home, carries("p1")))?.wish).toEqual(WISH);
});
