import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { autoName, nameProblem } from "../../provider/core/addon-name";

describe("an add-on's name", () => {
  for (const name of ["a", "cache", "cache-2", "a".repeat(40), "shop-dev-cache"])
    test(`may be ${name}`, () => expect(nameProblem(name)).toBeUndefined());

  for (const [name, word] of [
    ["", "empty"],
    ["a".repeat(41), "at most 40"],
    ["Cache", "lower case"],
    ["a/b", "lower case"],
    ["a_b", "lower case"],
    ["../a", "lower case"],
    ["ä", "lower case"],
    ["a\n", "lower case"],
    ["1a", "begin with a letter"],
    ["-a", "begin with a letter"],
    ["a-", "end with"],
  ] as const)
    test(`may not be ${JSON.stringify(name)}, and the reason says ${word}`, () =>
      expect(nameProblem(name)).toContain(word));
});

describe("a name that nobody gave", () => {
  const part = fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[a-zA-Z0-9_.-]{1,30}$/));
  const inputs = fc.tuple(part, part, part);

  test("is readable where project, stack and resource can be spelt out", () => {
    expect(autoName("shop", "dev", "cache")).toBe("shop-dev-cache");
    expect(autoName("my-shop", "dev", "eu-cache")).toBe("my-shop-dev-eu-cache");
  });

  test("never changes from one version to the next, because states record it", () => {
    expect(autoName("shop", "prod-eu", "cache")).toBe("shop-prod-eu-cache-d7ce71ad");
    expect(autoName("Shop_1", "dev", "cache")).toBe("shop-1-dev-cache-01fbe8e1");
    expect(autoName("shop", "dev", "a".repeat(40))).toBe(`shop-dev-${"a".repeat(22)}-13e18dd5`);
    expect(autoName("1", "2", "3")).toBe("r-1-2-3-c1a9f25c");
  });

  test("is always a valid name", () => {
    fc.assert(fc.property(inputs, (input) => nameProblem(autoName(...input)) === undefined));
  });

  test("is the same on every call", () => {
    fc.assert(fc.property(inputs, (input) => autoName(...input) === autoName(...input)));
  });

  test("is another one for other inputs of the same project", () => {
    const pairOf = (unit: fc.Arbitrary<string>) => fc.tuple(unit, unit, unit, unit);
    const close = fc.stringMatching(/^[ab-]{1,4}$/);
    fc.assert(
      fc.property(fc.oneof(pairOf(part), pairOf(close)), ([stack, resource, stack2, resource2]) => {
        fc.pre(stack !== stack2 || resource !== resource2);
        expect(autoName("shop", stack, resource)).not.toBe(autoName("shop", stack2, resource2));
      }),
      { numRuns: 1000 },
    );
  });

  test("keeps stacks apart whose names run into the resource's", () => {
    expect(autoName("shop", "prod", "eu-cache")).not.toBe(autoName("shop", "prod-eu", "cache"));
  });
});
