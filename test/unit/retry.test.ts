import fc from "fast-check";
import { expect, test } from "vitest";
import type { Clock } from "../../provider/core/task";
import { longestWaitMs, type RetryPolicy, retrying } from "../../provider/stores/retry";

const never = new AbortController().signal;
const passing = new Error("passing");
const lasting = new Error("lasting");

/** A clock that each sleep moves on, and that notes them. */
function movedBySleep() {
  let now = 1_700_000_000_000;
  const waits: number[] = [];
  const clock: Clock = {
    now: () => now,
    sleep: async (ms) => {
      waits.push(ms);
      now += ms;
    },
  };
  return { clock, waits, spend: (ms: number) => void (now += ms) };
}

const policies: fc.Arbitrary<RetryPolicy> = fc.record({
  attempts: fc.integer({ min: 1, max: 12 }),
  firstDelayMs: fc.integer({ min: 1, max: 1000 }),
  longestDelayMs: fc.integer({ min: 1, max: 20_000 }),
  deadlineMs: fc.integer({ min: 0, max: 60_000 }),
});
const randoms = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 12, maxLength: 12 });

/** Runs something that fails `failures` times, each attempt taking `attemptMs`. */
async function run(
  policy: RetryPolicy,
  randoms: readonly number[],
  failures: number,
  { error = passing, attemptMs = 0 } = {},
) {
  const { clock, waits, spend } = movedBySleep();
  const begun = clock.now();
  const begins: number[] = [];
  let next = 0;
  const retry = retrying(policy, {
    clock,
    random: () => randoms[next++] ?? 0,
    isTransient: (error) => error === passing,
  });
  const outcome = await retry(async () => {
    begins.push(clock.now() - begun);
    spend(attemptMs);
    if (begins.length <= failures) throw error;
    return "done" as const;
  }, never).catch((error: unknown) => error);
  return { outcome, begins, waits };
}

test("what works at the first attempt is not tried again, and waits for nothing", async () => {
  await fc.assert(
    fc.asyncProperty(policies, randoms, async (policy, randoms) => {
      expect(await run(policy, randoms, 0)).toEqual({ outcome: "done", begins: [0], waits: [] });
    }),
  );
});

test("what is not transient is thrown at once", async () => {
  await fc.assert(
    fc.asyncProperty(policies, randoms, async (policy, randoms) => {
      const { outcome, waits, begins } = await run(policy, randoms, 20, { error: lasting });
      expect([outcome, waits.length, begins.length]).toEqual([lasting, 0, 1]);
    }),
  );
});

test("what lasts is tried as often as agreed, unless its time is up, and then thrown as it is", async () => {
  await fc.assert(
    fc.asyncProperty(
      policies,
      randoms,
      fc.integer({ min: 0, max: 20_000 }),
      async (policy, randoms, attemptMs) => {
        const { outcome, begins, waits } = await run(policy, randoms, 99, { attemptMs });
        expect(outcome).toBe(passing);
        expect(begins.length).toBeLessThanOrEqual(policy.attempts);
        expect(begins.at(-1)).toBeLessThanOrEqual(policy.deadlineMs);
        if (begins.length === policy.attempts) return;
        // It gave up early: the next attempt would have begun too late.
        const nextWaitMs = (randoms[waits.length] ?? 0) * longestWaitMs(policy, begins.length);
        expect((begins.at(-1) ?? 0) + attemptMs + nextWaitMs).toBeGreaterThan(policy.deadlineMs);
      },
    ),
  );
});

test("what passes in time succeeds", async () => {
  await fc.assert(
    fc.asyncProperty(
      policies,
      randoms,
      fc.integer({ min: 0, max: 11 }),
      async (policy, randoms, failures) => {
        fc.pre(failures < policy.attempts);
        const { outcome, begins } = await run({ ...policy, deadlineMs: Infinity }, randoms, failures);
        expect([outcome, begins.length]).toEqual(["done", failures + 1]);
      },
    ),
  );
});

test("each wait is anything up to a longest one, which doubles up to its limit", async () => {
  await fc.assert(
    fc.asyncProperty(policies, randoms, async (policy, randoms) => {
      const { waits } = await run({ ...policy, deadlineMs: Infinity }, randoms, 99);
      expect(waits).toEqual(
        randoms
          .slice(0, policy.attempts - 1)
          .map((random, wait) => random * Math.min(policy.longestDelayMs, policy.firstDelayMs * 2 ** wait)),
      );
    }),
  );
});

test("an abort ends the waiting and is what is thrown", async () => {
  const abort = new AbortController();
  const reason = new Error("told to stop");
  const clock: Clock = {
    now: () => 0,
    sleep: async (_ms, signal) => {
      abort.abort(reason);
      signal?.throwIfAborted();
    },
  };
  const tools = { clock, random: () => 0.5, isTransient: () => true };
  const retry = retrying({ attempts: 5, firstDelayMs: 1, longestDelayMs: 1, deadlineMs: 1000 }, tools);
  let attempts = 0;
  const failing = async () => {
    attempts++;
    throw passing;
  };
  await expect(retry(failing, abort.signal)).rejects.toBe(reason);
  await expect(retry(failing, abort.signal)).rejects.toBe(reason);
  expect(attempts).toBe(1);
});
