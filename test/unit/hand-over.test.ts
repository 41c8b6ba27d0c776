import fc from "fast-check";
import { expect, test } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import { followed } from "../../provider/core/followed";
import {
  asGiver,
  asReceiver,
  handOverVerdict,
  hasReceived,
  isExchanged,
  withoutIntent,
  type HandOverEvidence,
  type Standing,
} from "../../provider/core/hand-over";
import { testRecord } from "../support/local-addon";

const STANDINGS = ["leads", "follows", "failing-over", "silent", "down"] as const;

const TABLE: readonly [giver: Standing, receiver: Standing, at: string, verdict: string][] = [
  // The failover was not begun, ran into its time, or was aborted: its leader may have taken writes since.
  ["leads", "follows", "any time", "did-not-happen"],
  ["leads", "leads", "any time", "did-not-happen"],
  ["leads", "down", "any time", "did-not-happen"],
  ["leads", "silent", "any time", "did-not-happen"],
  // Under way.
  ["failing-over", "follows", "in time", "wait"],
  ["failing-over", "leads", "in time", "wait"],
  ["failing-over", "silent", "in time", "wait"],
  ["failing-over", "follows", "too late", "abort"],
  ["failing-over", "leads", "too late", "abort"],
  ["failing-over", "down", "any time", "abort"],
  // It gave its role away, and has all that was acknowledged.
  ["follows", "leads", "any time", "happened"],
  ["follows", "down", "any time", "did-not-happen"],
  ["follows", "follows", "any time", "did-not-happen"],
  ["follows", "silent", "in time", "wait"],
  ["follows", "silent", "too late", "did-not-happen"],
  // Gone, after it had given everything away or while it had not.
  ["down", "leads", "any time", "happened"],
  ["down", "follows", "any time", "did-not-happen"],
  ["down", "down", "any time", "did-not-happen"],
  ["down", "silent", "in time", "wait"],
  ["down", "silent", "too late", "did-not-happen"],
  // It runs, and may be taking writes.
  ["silent", "leads", "any time", "wait"],
  ["silent", "follows", "any time", "wait"],
  ["silent", "down", "any time", "wait"],
];

test.each(TABLE)("a giver that %s, a receiver that %s, %s: %s", (giver, receiver, at, verdict) => {
  for (const isOverdue of [false, true]) {
    if ((at === "in time" && isOverdue) || (at === "too late" && !isOverdue)) continue;
    const evidence = {
      isRecorded: false,
      wasAborted: false,
      giver,
      receiver,
      isOverdue,
      giverKeepsData: true,
    };
    expect(handOverVerdict(evidence)).toBe(verdict);
  }
});

test("a giver that was told to keep its role is chosen though it has ended, unless its data have ended with it", () => {
  const evidence = {
    isRecorded: false,
    giver: "down",
    receiver: "leads",
    isOverdue: true,
    wasAborted: true,
  } as const;
  expect(handOverVerdict({ ...evidence, giverKeepsData: true })).toBe("did-not-happen");
  expect(handOverVerdict({ ...evidence, giverKeepsData: false })).toBe("happened");
});

test("while a receiver that may be the only one with the data doesn't answer, nothing is decided", () => {
  const evidence = { isRecorded: false, giver: "down", receiver: "silent", isOverdue: true } as const;
  expect(handOverVerdict({ ...evidence, wasAborted: false, giverKeepsData: false })).toBe("wait");
});

const evidence: fc.Arbitrary<HandOverEvidence> = fc.record({
  isRecorded: fc.boolean(),
  giver: fc.constantFrom(...STANDINGS),
  wasAborted: fc.boolean(),
  giverKeepsData: fc.boolean(),
  receiver: fc.constantFrom(...STANDINGS),
  isOverdue: fc.boolean(),
});

test("what is recorded is never taken back, and nobody who may be taking writes is left out", () => {
  fc.assert(
    fc.property(evidence, (seen) => {
      const verdict = handOverVerdict(seen);
      if (seen.isRecorded) return verdict === "happened";
      // The receiver takes no write before it is recorded; a giver that leads, or may, does.
      if (verdict === "happened")
        return seen.receiver === "leads" && !["leads", "silent"].includes(seen.giver);
      return verdict !== "did-not-happen" || !["silent", "failing-over"].includes(seen.giver);
    }),
  );
});

const LEADER: AddonRecord = { ...testRecord(), name: "lead", createdAt: "2026-01-01T00:00:00.000Z" };
const FOLLOWER: AddonRecord = {
  ...testRecord(),
  name: "copy",
  createdAt: "2026-02-02T00:00:00.000Z",
  replication: {
    wish: { kind: "addon", addon: "lead" },
    leaderCreatedAt: LEADER.createdAt,
    instance: { token: "t", confirmed: true },
    given: ["leader"],
    since: "2026-02-02T00:00:00.000Z",
  },
};
const since = "2026-03-03T00:00:00.000Z";

test("the records of a pair say who leads after each write of a switchover, and of the one back", () => {
  const intent = { ...LEADER, handingOver: { to: "copy", since } };
  expect(hasReceived(intent, FOLLOWER)).toBe(false);
  expect(withoutIntent(intent)).toEqual(LEADER);

  const leads = asReceiver(intent, FOLLOWER);
  expect(followed(leads)).toBeUndefined();
  expect(hasReceived(intent, leads)).toBe(true);
  const follows = asGiver(intent, leads);
  expect(follows.handingOver).toBeUndefined();
  expect(followed(follows)).toEqual({ kind: "addon", addon: "copy", createdAt: FOLLOWER.createdAt });
  expect(isExchanged(follows, leads)).toBe(true);

  const back = { ...leads, handingOver: { to: "lead", since } };
  expect(hasReceived(back, follows)).toBe(false);
  expect(withoutIntent(back)).toEqual(leads);
  const leadsAgain = asReceiver(back, follows);
  expect(leadsAgain).toEqual(LEADER);
  expect(hasReceived(back, leadsAgain)).toBe(true);
  expect(asGiver(back, leadsAgain)).toEqual(FOLLOWER);
});

test("writing a step once more changes nothing", () => {
  const intent = { ...LEADER, handingOver: { to: "copy", since } };
  const leads = asReceiver(intent, FOLLOWER);
  expect(asReceiver(intent, leads)).toEqual(leads);
  const follows = asGiver(intent, leads);
  expect(asGiver(follows, leads)).toEqual(follows);
});
