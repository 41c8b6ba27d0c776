import { expect, test } from "vitest";
import { labelsProblem } from "../../provider/core/labels";
import { passwordProblem } from "../../provider/core/password";

test.each(["12345678", "with spaces and ~!@#$%^&*()'\"", "pässwörter", "🔑🔑🔑🔑🔑🔑🔑🔑", "x".repeat(512)])(
  "%j can be a password",
  (password) => expect(passwordProblem(password)).toBeUndefined(),
);

test.each([
  ["too short", "1234567"],
  ["too long", "x".repeat(513)],
  ["of two lines", "12345678\n"],
  ["with a NUL", "1234\u00005678"],
  ["with half a character", "12345678\ud800"],
])("one that is %s can't, and the reason holds no part of it", (_, password) => {
  const problem = passwordProblem(password);
  expect(problem).toBeDefined();
  expect(problem).not.toContain("1234");
});

test("labels are names and texts, so many and so long", () => {
  expect(labelsProblem({})).toBeUndefined();
  expect(labelsProblem({ team: "shop", "example.org/cost-center": "42", a: "" })).toBeUndefined();
  expect(labelsProblem({ "-team": "shop" })).toContain('"-team"');
  expect(labelsProblem({ "": "shop" })).toBeDefined();
  expect(labelsProblem({ team: "two\nlines" })).toContain("team");
  expect(labelsProblem({ team: "x".repeat(257) })).toContain("256");
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`l${i}`, ""]));
  expect(labelsProblem(many)).toContain("65 labels");
});
