import { expect, test } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import { followingLoop } from "../../provider/core/following-loop";

/** Add-ons by whom each follows. */
function loop(name: string, leader: string, follows: Readonly<Record<string, string>>) {
  const load = (of: string) => Promise.resolve(recordOf(of, follows[of]));
  return followingLoop(name, recordOf(leader, follows[leader]), load);
}

function recordOf(name: string, addon: string | undefined): AddonRecord {
  const replication = addon === undefined ? {} : { replication: { wish: { kind: "addon", addon } } };
  return { name, ...replication } as AddonRecord;
}

test.each([
  ["a", "b", {}, undefined],
  ["a", "b", { a: "b" }, undefined],
  ["a", "b", { b: "c" }, undefined],
  ["a", "a", {}, ["a", "a"]],
  ["a", "b", { b: "a" }, ["a", "b", "a"]],
  ["a", "b", { b: "c", c: "d", d: "a" }, ["a", "b", "c", "d", "a"]],
  ["a", "b", { b: "c", c: "b" }, undefined],
])("%s following %s, where others follow %j", async (name, leader, follows, chain) => {
  expect(await loop(name, leader, follows)).toEqual(chain);
});
