import { describe, expect, it } from "vitest";
import { runsFor } from "../../../.dev/test/runs.mjs";

const everyday = ["unit", "contract", "pulumi"];
const projects = everyday.map((tier) => `--project=${tier}`);

const inBrowser = { tiers: ["browser"], isWhole: true, args: ["--maxWorkers=2", "--project=browser"] };

describe("the runs of npm test", () => {
  it("are the everyday tiers at once, and after them what needs a browser, few tests of it at once", () => {
    expect(runsFor([])).toEqual([{ tiers: everyday, isWhole: true, args: projects }, inBrowser]);
  });

  it("have the heavy tier after the others where it is asked for, few tests of it at once", () => {
    expect(runsFor(["--heavy"])).toEqual([
      { tiers: everyday, isWhole: true, args: projects },
      inBrowser,
      { tiers: ["heavy"], isWhole: true, args: ["--maxWorkers=2", "--project=heavy"] },
    ]);
  });

  it.each([[["--project", "unit"]], [["--project=unit"]]])("are the named tier alone: %j", (args) => {
    expect(runsFor(args)).toEqual([{ tiers: ["unit"], isWhole: false, args }]);
  });

  it("are one where files are named, which may be of any tier", () => {
    const args = [...projects, "--project=browser", "settings"];
    expect(runsFor(["settings"])).toEqual([{ tiers: [...everyday, "browser"], isWhole: false, args }]);
  });
});
