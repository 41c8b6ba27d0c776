import { expect, test } from "vitest";
import { otherPolicy, policyExists } from "../../provider/core/policy-exists";

const urn = (name: string, stack = "dev", project = "shop") =>
  `urn:pulumi:${stack}::${project}::pulumi-nodejs:dynamic/redis-addon:BackupPolicy::${name}`;
const asking = { project: "shop", stack: "dev", urn: urn("mine") };

test("another policy of the same stack is a rival", () => {
  expect(otherPolicy(urn("theirs"), asking)).toBe(urn("theirs"));
});

test.each([
  ["none is recorded", undefined],
  ["an old version recorded no URN", undefined],
  ["it is the asking one's own, made once more", urn("mine")],
  ["it was recorded before the stack was renamed", urn("mine", "prod")],
  ["it was recorded before the project was renamed", urn("mine", "dev", "store")],
  ["its add-on was handed over since", urn("theirs", "test")],
  ["only its stack's name begins alike", urn("theirs", "dev2")],
])("nobody is a rival where %s", (_, recorded) => {
  expect(otherPolicy(recorded, asking)).toBeUndefined();
});

test("who doesn't say which resource it is has no rival", () => {
  expect(otherPolicy(urn("theirs"), { project: "shop", stack: "dev" })).toBeUndefined();
});

test("the other one is named, with every way out", () => {
  const { cause, hint } = policyExists(urn("a::b"));
  expect(cause).toContain(`the resource a::b (${urn("a::b")})`);
  expect(hint).toMatch(
    /^Change that one, or remove it first; .* if no state holds a::b any more, .*once more/,
  );
  expect(hint).toContain(`aliases: ["${urn("a::b")}"]`);
});
