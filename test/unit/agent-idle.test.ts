import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Activity } from "../../provider/agent/idle";
import type { Clock } from "../../provider/core/task";
import { layoutOf } from "../../provider/platforms/local/home";

/** Every sleep ends at once and moves the clock; `each` is what happens at each one. */
function racingClock(each: (now: number) => Promise<void> | void): Clock {
  let now = 0;
  return {
    now: () => now,
    sleep: async (ms) => {
      now += ms;
      await each(now);
    },
  };
}

async function leftAt(each: (now: number, folder: string) => Promise<void> | void): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "rai-"));
  try {
    const clock = racingClock((now) => each(now, folder));
    await new Activity(clock).untilIdle(layoutOf(folder), new AbortController().signal);
    return clock.now();
  } finally {
    await rm(folder, { recursive: true });
  }
}

it("leaves a minute after it was last of use", async () => {
  expect(await leftAt(() => undefined)).toBe(60_000);
});

it("stays as long as there is an add-on, and a minute longer", async () => {
  const left = await leftAt(async (now, folder) => {
    const addon = join(folder, "addons", "cache");
    if (now === 30_000)
      await mkdir(addon, { recursive: true }).then(() => writeFile(join(addon, "record.json"), "{}"));
    if (now === 300_000) await rm(addon, { recursive: true });
  });
  expect(left).toBeGreaterThanOrEqual(355_000);
  expect(left).toBeLessThanOrEqual(365_000);
});
