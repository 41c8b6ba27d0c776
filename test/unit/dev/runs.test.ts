import { describe, expect, it } from "vitest";
import { runsFor } from "../../../.dev/test/runs.mjs";

const everyday = ["unit", "contract", "pulumi"];
const projects = everyday.map((tier) => `--project=${tier}`);

describe("the runs of npm test", () => {
  it("are one of every tier but the heavy one", () => {
    expect(runsFor([])).toEqual([{ tiers: everyday, isWhole: true, args: projects }]);
  });

  it("have the heavy tier after the others where it is asked for, few tests of it at once", () => {
    expect(runsFor(["--heavy"])).toEqual([
      { tiers: everyday, isWhole: true, args: projects },
      { tiers: ["heavy"], isWhole: true, args: ["--maxWorkers=2", "--project=heavy"] },
    ]);
  });

  it.each([[["--project", "unit"]], [["--project=unit"]]])("are the named tier alone: %j", (args) => {
    expect(runsFor(args)).toEqual([{ tiers: ["unit"], isWhole: false, args }]);
  });

  it("may leave tiers out where files are named", () => {
    expect(runsFor(["settings"])).toEqual([
      { tiers: everyday, isWhole: false, args: [...projects, "settings"] },
    ]);
  });
});
