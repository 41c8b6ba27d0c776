import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planOf, PLAN_NAMES } from "../../provider/core/plans";
import { closedConnections, resizeProblem, restartEstimateMs, type Usage } from "../../provider/core/resize";

const MIB = 1024 ** 2;
const usage = (more: Partial<Usage> = {}): Usage => ({
  usedMemoryBytes: 200 * MIB,
  keysByDatabase: { 0: 10, 3: 7 },
  connections: 120,
  ...more,
});

describe("a plan that is too small for what is there is refused with the figures", () => {
  test("in memory", () => {
    expect(resizeProblem(planOf("m_mono"), planOf("s_mono"), usage({ keysByDatabase: {} }))).toMatchObject({
      cause: "200 MiB of memory are in use, and the new plan has 128 MiB",
    });
  });

  test("in databases that hold keys", () => {
    expect(resizeProblem(planOf("m_mono"), planOf("s_mono"), usage({ usedMemoryBytes: MIB }))).toMatchObject({
      cause: "database 3 holds 7 keys, and the new plan has databases 0 to 0 only",
    });
    const empty = usage({ usedMemoryBytes: MIB, keysByDatabase: { 0: 10, 3: 0 } });
    expect(resizeProblem(planOf("m_mono"), planOf("s_mono"), empty)).toBeUndefined();
  });

  test("but a plan that takes nothing away is not, however full the add-on", () => {
    fc.assert(
      fc.property(fc.constantFrom(...PLAN_NAMES), fc.nat(4096), fc.nat(40), (name, mib, database) => {
        const full = usage({ usedMemoryBytes: mib * MIB, keysByDatabase: { [database]: 1 } });
        expect(resizeProblem(planOf(name), planOf(name), full)).toBeUndefined();
      }),
    );
  });
});

test("fewer connections than are open are counted, more are none", () => {
  expect(closedConnections(planOf("s_mono"), usage())).toBe(20);
  expect(closedConnections(planOf("m_mono"), usage())).toBe(0);
});

test("a restart is estimated longer the more there is to load", () => {
  const [empty, full] = [0, 3 * 1024 * MIB].map((usedMemoryBytes) =>
    restartEstimateMs(usage({ usedMemoryBytes })),
  );
  expect(empty).toBe(500);
  expect(full).toBeGreaterThan(20_000);
});
