import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { progressDisplay } from "../../provider/cli/progress-display";
import { progressLine } from "../../provider/cli/progress-line";

const MIB = 1024 ** 2;

describe("a line of progress", () => {
  it("shows a bar, percent, bytes, speed and seconds where the total is known", () => {
    const progress = { message: "receiving the snapshot", doneBytes: 30 * MIB, totalBytes: 120 * MIB };
    expect(progressLine({ progress, elapsedMs: 4_200, bytesPerSecond: 7.5 * MIB }, 110)).toBe(
      "receiving the snapshot  [#######-----------------------]   25 %  30.0 MiB of 120 MiB   7.5 MiB/s   4 s",
    );
  });

  it("marks an estimate, which is never complete", () => {
    const progress = { message: "storing", doneBytes: 90 * MIB, estimatedBytes: 80 * MIB };
    const line = progressLine({ progress, elapsedMs: 61_000 }, 80);
    expect(line).toMatch(/^storing {2}\[#{28}-\] {2}~99 % {2}90\.0 MiB {14}1 min 1 s$/);
  });

  it("shows bytes without a bar where nothing tells how many there will be, and seconds where there are none", () => {
    expect(progressLine({ progress: { message: "receiving", doneBytes: MIB }, elapsedMs: 0 }, 80)).toBe(
      "receiving   1.0 MiB               0 s",
    );
    expect(progressLine({ progress: { message: "waiting" }, elapsedMs: 12_900 }, 80)).toBe("waiting  12 s");
  });

  it("gives up figures for what is narrow, from the last one on, and words only when nothing else is left", () => {
    const view = {
      progress: { message: "receiving the snapshot", doneBytes: 30 * MIB, totalBytes: 120 * MIB },
      elapsedMs: 4_200,
      bytesPerSecond: 7.5 * MIB,
    };
    expect(progressLine(view, 66)).toBe("receiving the snapshot   25 %  30.0 MiB of 120 MiB   7.5 MiB/s");
    expect(progressLine(view, 41)).toBe("receiving the snapshot  [##------]   25 %");
    expect(progressLine(view, 32)).toBe("receiving the snapshot   25 %");
    expect(progressLine(view, 27)).toBe("receiving the snapshot");
    expect(progressLine(view, 12)).toBe("receiving t…");
  });

  it("is never wider than the terminal", () => {
    const amount = fc.option(fc.nat(), { nil: undefined });
    fc.assert(
      fc.property(
        fc.record({
          message: fc.string(),
          doneBytes: amount,
          totalBytes: amount,
          estimatedBytes: amount,
        }),
        fc.nat(),
        amount,
        fc.integer({ min: 1, max: 200 }),
        (progress, elapsedMs, bytesPerSecond, columns) => {
          expect(progressLine({ progress, elapsedMs, bytesPerSecond }, columns).length).toBeLessThanOrEqual(
            columns,
          );
        },
      ),
    );
  });
});

describe("the display of progress", () => {
  function screen(isTTY: boolean) {
    const written: string[] = [];
    return { isTTY, columns: 80, write: (text: string) => written.push(text), written };
  }

  it("redraws one line on a terminal and leaves nothing of it behind", () => {
    const terminal = screen(true);
    let now = 0;
    const display = progressDisplay(terminal, { now: () => now }, false);
    display.show({ message: "receiving", doneBytes: 0 });
    now = 2_000;
    display.show({ message: "receiving", doneBytes: 4 * MIB });
    display.clear();
    expect(terminal.written).toEqual([
      "\r\u001B[2Kreceiving       0 B               0 s",
      "\r\u001B[2Kreceiving   4.0 MiB   2.0 MiB/s   2 s",
      "\r\u001B[2K",
    ]);
    display.clear();
    expect(terminal.written).toHaveLength(3);
  });

  it("draws no more often than a person sees, but each new step at once", () => {
    const terminal = screen(true);
    let now = 0;
    const display = progressDisplay(terminal, { now: () => now }, false);
    for (; now < 50; now++) display.show({ message: "receiving", doneBytes: now });
    expect(terminal.written).toHaveLength(1);
    display.show({ message: "verifying" });
    expect(terminal.written).toHaveLength(2);
    display.clear();
  });

  it("tells the speed of the last seconds: a stall is seen", () => {
    const terminal = screen(true);
    let now = 0;
    const display = progressDisplay(terminal, { now: () => now }, false);
    for (; now <= 20_000; now += 1_000)
      display.show({ message: "receiving", doneBytes: Math.min(now, 10_000) * 1_024 });
    expect(terminal.written.at(-1)).toContain("  0 B/s  ");
    display.clear();
  });

  it("writes one line for each step elsewhere, none for each tick, and no control characters", () => {
    const log = screen(false);
    const display = progressDisplay(log, { now: () => 0 }, false);
    for (let doneBytes = 0; doneBytes < 9; doneBytes++) display.show({ message: "receiving", doneBytes });
    display.show({ message: "verifying" });
    display.clear();
    expect(log.written).toEqual(["receiving …\n", "verifying …\n"]);
  });

  it("says nothing where it was told to be quiet", () => {
    const log = screen(false);
    const display = progressDisplay(log, { now: () => 0 }, true);
    display.show({ message: "receiving" });
    expect(log.written).toEqual([]);
  });
});
