import { describe, expect, it } from "vitest";
import type { Task } from "../../../provider/core/task";
import { addonWatch } from "../../../provider/console/watch/addon-watch";
import type { Platform } from "../../../provider/platforms/contract";
import { movedClock } from "../../support/moved-clock";

const START = Date.parse("2026-05-01T12:00:00Z");

describe("the watch over all add-ons", () => {
  it("takes a twentieth of a core at most while nobody looks at pages, and a quarter otherwise", async () => {
    const { looks, watch, clock, task, end } = watching({ eachComputesMs: 1_000 });
    await passes(clock, 200_000);
    expect(looks()).toBeLessThanOrEqual(11);
    expect(looks()).toBeGreaterThanOrEqual(10);
    const before = looks();
    await watchedFor(40_000, clock, () => watch.all(task));
    expect(looks() - before).toBeLessThanOrEqual(12);
    expect(looks() - before).toBeGreaterThanOrEqual(9);
    end();
  });

  it("looks every ten seconds at least, and every two while somebody looks at pages, where that costs little", async () => {
    const { looks, watch, clock, task, end } = watching({ eachComputesMs: 1 });
    await passes(clock, 100_000);
    expect(looks()).toBeGreaterThanOrEqual(10);
    expect(looks()).toBeLessThanOrEqual(11);
    const before = looks();
    await watchedFor(40_000, clock, () => watch.all(task));
    expect(looks() - before).toBeGreaterThanOrEqual(19);
    end();
  });

  it("goes on as before when the clock jumps by a day", async () => {
    for (const day of [86_400_000, -86_400_000]) {
      const { looks, watch, clock, task, end } = watching({ eachComputesMs: 1, at: () => undefined });
      await watch.all(task);
      clock.set(START + day);
      await passes(clock, 100_000);
      const before = looks();
      await passes(clock, 100_000);
      expect(looks() - before).toBeGreaterThanOrEqual(9);
      expect(looks() - before).toBeLessThanOrEqual(11);
      end();
    }
  });

  it("goes on where a look fails as a whole", async () => {
    const { looks, clock, end } = watching({
      eachComputesMs: 1,
      at: () => {
        throw new Error("the disk is away");
      },
    });
    await passes(clock, 100_000);
    expect(looks()).toBeGreaterThanOrEqual(10);
    end();
  });
});

/** A watch over no add-ons at all, of which each look computes for so long. */
function watching({ eachComputesMs, at }: { eachComputesMs: number; at?: () => void }) {
  const clock = movedClock(START);
  const ended = new AbortController();
  let looks = 0;
  const platform: Partial<Platform> = {
    kind: "local",
    names: async () => {
      looks += 1;
      at?.();
      return [];
    },
  };
  // It computes while the clock stands still, as a thread beside it would.
  const asked = { times: 0 };
  const watch = addonWatch(platform as Platform, clock, ended.signal, () => {
    asked.times += 1;
    return Math.floor(asked.times / 2) * eachComputesMs;
  });
  const task: Task = { clock, signal: ended.signal, progress: () => undefined };
  return { looks: () => looks, watch, clock, task, end: () => ended.abort(new Error("the test ended")) };
}

type Clock = ReturnType<typeof movedClock>;

async function passes(clock: Clock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) await clock.advance(500);
}

async function watchedFor(ms: number, clock: Clock, look: () => Promise<unknown>): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    const looked = look();
    await clock.advance(500);
    await clock.advance(500);
    await looked;
  }
}
