import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextStep, nextStepBack, type RestoreFolders } from "../../provider/agent/restore/next-step";

type Data = RestoreFolders["data"];

describe("what comes next of a restore, from what lies there", () => {
  const table: readonly [
    Data,
    "staged" | "-",
    "replaced" | "-",
    ReturnType<typeof nextStep>,
    ReturnType<typeof nextStepBack>,
  ][] = [
    ["filled", "staged", "-", "set-aside", "drop-staged"],
    ["empty", "staged", "-", "set-aside", "drop-staged"],
    ["absent", "staged", "-", "set-aside", "drop-staged"],
    ["absent", "staged", "replaced", "put-in-place", "drop-staged"],
    ["empty", "staged", "replaced", "put-in-place", "drop-staged"],
    ["filled", "staged", "replaced", "unclear", "unclear"],
    ["filled", "-", "replaced", "in-place", "drop-data"],
    ["empty", "-", "replaced", "lost", "drop-data"],
    ["absent", "-", "replaced", "lost", "put-back"],
    ["filled", "-", "-", "lost", "undone"],
    ["empty", "-", "-", "lost", "undone"],
    ["absent", "-", "-", "lost", "undone"],
  ];
  test.each(table)("data %s, %s, %s: %s, and on the way back %s", (data, staged, replaced, step, back) => {
    const folders = { data, staged: staged === "staged", replaced: replaced === "replaced" };
    expect(nextStep(folders)).toBe(step);
    expect(nextStepBack(folders)).toBe(back);
  });
});

/** Folders by what is in them; "nothing" is one without a file. */
interface Disk {
  data?: "old" | "new" | "nothing";
  staged?: "new";
  replaced?: "old" | "nothing";
}

const seen = ({ data, staged, replaced }: Disk): RestoreFolders => ({
  data: data === undefined ? "absent" : data === "nothing" ? "empty" : "filled",
  staged: staged !== undefined,
  replaced: replaced !== undefined,
});

/** Does one step as `exchange.ts` does it. False: there is none left. */
function stepOn(disk: Disk): boolean {
  switch (nextStep(seen(disk))) {
    case "set-aside":
      disk.replaced = (disk.data ?? "nothing") as "old";
      delete disk.data;
      return true;
    case "put-in-place":
      disk.data = "new";
      delete disk.staged;
      return true;
    default:
      return false;
  }
}

function stepBackOn(disk: Disk): boolean {
  switch (nextStepBack(seen(disk))) {
    case "drop-staged":
      delete disk.staged;
      return true;
    case "drop-data":
      delete disk.data;
      return true;
    case "put-back":
      disk.data = disk.replaced ?? "nothing";
      delete disk.replaced;
      return true;
    default:
      return false;
  }
}

test("wherever it is cut off, and whoever saves a record meanwhile, it ends with one of the two data sets, whole", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("old", "nothing", undefined),
      fc.array(fc.boolean(), { maxLength: 12 }),
      fc.nat(8),
      (before, savings, undoAfter) => {
        const disk: Disk = { staged: "new", ...(before === undefined ? {} : { data: before }) };
        let saved = 0;
        const saveRecord = () => {
          if (savings[saved++] === true) disk.data ??= "nothing";
        };
        let steps = 0;
        for (saveRecord(); steps < undoAfter && stepOn(disk); steps++) saveRecord();
        const isUndone = steps === undoAfter;
        if (isUndone) for (saveRecord(); stepBackOn(disk); steps++) saveRecord();
        expect(steps).toBeLessThan(12);
        const is = disk.data ?? "nothing";
        expect(is).toBe(isUndone ? (before ?? "nothing") : "new");
        expect(disk.staged).toBeUndefined();
        expect(disk.replaced ?? "nothing").toBe(isUndone ? "nothing" : (before ?? "nothing"));
      },
    ),
  );
});
