import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryText, parseMemory } from "../../provider/core/memory-size";
import { PlanChoiceSchema } from "../../provider/core/plan-choice";
import { planOf, PLAN_NAMES, planText } from "../../provider/core/plans";

const MIB = 1024 ** 2;

describe("sizes are Redis's", () => {
  test.each([
    ["1kb", 1024],
    ["1k", 1000],
    ["512mb", 512 * MIB],
    ["512m", 512_000_000],
    ["3gb", 3 * 1024 * MIB],
    ["2G", 2_000_000_000],
    ["100000", 100_000],
    ["7b", 7],
  ])("%s is %s bytes", (text, bytes) => expect(parseMemory(text)).toBe(bytes));

  test.each(["", "gb", "1.5gb", "-1mb", "1tb", "1 gb b", "0x10", "99999999999999999gb"])(
    "%j is none",
    (text) => expect(parseMemory(text)).toBeUndefined(),
  );

  test.each([
    [0, "0 B"],
    [300, "300 B"],
    [1536, "1.5 KiB"],
    [128 * MIB, "128 MiB"],
    [2560 * MIB, "2.5 GiB"],
  ])("%s bytes are told as %s", (bytes, text) => expect(memoryText(bytes)).toBe(text));
});

describe("a size of one's own", () => {
  const own = { memory: "3gb", connections: 200, databases: 4 };

  test("is taken as written, and maxmemory is exactly it", () => {
    expect(PlanChoiceSchema.parse(own)).toEqual(own);
    expect(planOf(own)).toEqual({ memoryBytes: 3 * 1024 * MIB, connections: 200, databases: 4 });
    expect(planText(own)).toBe("custom: 3.0 GiB, 200 connections, 4 databases");
  });

  test.each<[string, unknown, RegExp]>([
    ["memory that is no size", { ...own, memory: "big" }, /"16mb" to "1024gb"/],
    ["too little memory", { ...own, memory: "15mb" }, /"16mb" to "1024gb"/],
    ["too much memory", { ...own, memory: "1025gb" }, /"16mb" to "1024gb"/],
    ["memory as a number", { ...own, memory: 512 }, /"16mb" to "1024gb"/],
    ["no connections", { ...own, connections: 0 }, /1 to 50000/],
    ["half a database", { ...own, databases: 1.5 }, /1 to 1024/],
    ["something else besides", { ...own, cpu: 2 }, /cpu/],
    ["a plan that there is not", "xs_mono", /s_mono.*or a size of your own/],
    ["nothing", undefined, /s_mono.*or a size of your own/],
  ])("with %s is refused, and what to write is said", (_, plan, message) => {
    const parsed = PlanChoiceSchema.safeParse(plan);
    expect(parsed.success).toBe(false);
    expect(JSON.stringify(parsed.error?.issues.map((issue) => issue.message))).toMatch(
      new RegExp(message.source.replaceAll('"', '\\\\"')),
    );
  });

  test("is whatever the bounds allow", () => {
    fc.assert(
      fc.property(fc.integer({ min: 16, max: 1024 * 1024 }), (mib) => {
        const plan = PlanChoiceSchema.parse({ ...own, memory: `${mib}mb` });
        expect(planOf(plan).memoryBytes).toBe(mib * MIB);
      }),
    );
  });
});

test("the reference system's plans are in order of their size", () => {
  const sizes = PLAN_NAMES.map((name) => planOf(name).memoryBytes);
  expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
  expect(planText("s_mono")).toBe("s_mono: 128 MiB, 100 connections, 1 database");
});
