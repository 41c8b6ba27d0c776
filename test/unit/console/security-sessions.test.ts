import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loginTokens } from "../../../provider/console/security/login-tokens";
import { sessions } from "../../../provider/console/security/sessions";
import type { Clock } from "../../../provider/core/task";

function stopped() {
  let now = 1_700_000_000_000;
  const clock: Clock = { now: () => now, sleep: () => Promise.resolve() };
  return { clock, pass: (ms: number) => void (now += ms) };
}

describe("login tokens", () => {
  it("are long, all different, and each is good once, while it is fresh", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(12 * 60_000), { minLength: 1, maxLength: 20 }), (waits) => {
        const { clock, pass } = stopped();
        const tokens = loginTokens(clock);
        const seen = new Set<string>();
        for (const wait of waits) {
          const token = tokens.mint();
          expect(token).toMatch(/^[\w-]{43}$/);
          expect(seen.has(token)).toBe(false);
          seen.add(token);
          pass(wait);
          expect(tokens.redeem(token)).toBe(wait < 10 * 60_000);
          expect(tokens.redeem(token)).toBe(false);
        }
      }),
    );
  });

  it("that nobody made are not good", () => {
    const tokens = loginTokens(stopped().clock);
    const token = tokens.mint();
    for (const tried of ["", token.slice(1), `${token}=`, `${token} `, token.toUpperCase()])
      expect(tokens.redeem(tried)).toBe(false);
    expect(tokens.redeem(token)).toBe(true);
  });

  it("are awaited until they were used or are too old", () => {
    const { clock, pass } = stopped();
    const tokens = loginTokens(clock);
    expect(tokens.areAwaited()).toBe(false);
    const token = tokens.mint();
    expect(tokens.areAwaited()).toBe(true);
    tokens.redeem(token);
    expect(tokens.areAwaited()).toBe(false);
    tokens.mint();
    pass(10 * 60_000);
    expect(tokens.areAwaited()).toBe(false);
  });

  it("are not kept without end: the oldest make room", () => {
    const tokens = loginTokens(stopped().clock);
    const all = Array.from({ length: 101 }, () => tokens.mint());
    expect(all.map((token) => tokens.redeem(token))).toEqual([
      false,
      ...Array.from({ length: 100 }, () => true),
    ]);
  });
});

describe("sessions", () => {
  it("last while they are used, and twelve hours longer", () => {
    const { clock, pass } = stopped();
    const known = sessions(clock);
    const id = known.begin();
    for (let look = 0; look < 5; look++) {
      pass(12 * 3_600_000 - 1);
      expect(known.touch(id)).toBe(true);
    }
    pass(12 * 3_600_000);
    expect(known.touch(id)).toBe(false);
    expect(known.touch(id)).toBe(false);
  });

  it("are so many: who has not used his for longest makes room", () => {
    const known = sessions(stopped().clock);
    const [used, unused] = [known.begin(), known.begin()];
    for (let i = 0; i < 98; i++) known.begin();
    expect(known.touch(used)).toBe(true);
    known.begin();
    expect(known.touch(unused)).toBe(false);
    expect(known.touch(used)).toBe(true);
  });

  it("end when they are told to", () => {
    const known = sessions(stopped().clock);
    const [one, other] = [known.begin(), known.begin()];
    known.end(one);
    expect(known.touch(one)).toBe(false);
    expect(known.touch(other)).toBe(true);
  });
});
