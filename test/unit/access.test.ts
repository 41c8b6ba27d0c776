import { expect, test } from "vitest";
import { ADMIN_USER, aclUsers, CAPTURE_USER, REPLICA_USER } from "../../provider/core/access";
import type { AddonRecord } from "../../provider/core/facets";
import { following, testRecord } from "../support/local-addon";

function rulesOf(record: AddonRecord, name: string): readonly string[] {
  return aclUsers(record).find((user) => user.name === name)?.rules ?? [];
}

test("passwords appear hashed and nowhere else", () => {
  const text = JSON.stringify(aclUsers(testRecord()));
  for (const password of Object.values(testRecord().credentials)) expect(text).not.toContain(password);
  // printf user-pw | sha256sum
  expect(rulesOf(testRecord(), "default")).toContain(
    "#8e17057a646d3776ed1c9ee314ee07dbfb017da81fe9eb7c8b5c77b70fc599c4",
  );
});

test("every user needs a password, and no rule lets one do without", () => {
  for (const record of [testRecord(), testRecord({ access: "advanced" }), following(testRecord())])
    for (const { rules } of aclUsers(record)) {
      expect(rules.filter((rule) => /^#[0-9a-f]{64}$/.test(rule))).toHaveLength(1);
      expect(rules.filter((rule) => /^(nopass|>|<|reset|allcommands)/.test(rule))).toEqual([]);
    }
});

test("users may replicate from a leader and not from a follower, whatever their access", () => {
  for (const access of ["standard", "advanced"] as const) {
    expect(rulesOf(testRecord({ access }), "default")).toEqual(expect.arrayContaining(["+psync", "+sync"]));
    const rules = rulesOf(following(testRecord({ access })), "default");
    for (const command of ["psync", "sync", "replconf"])
      expect(rules.findLast((rule) => rule.slice(1) === command)).toBe(`-${command}`);
  }
});

test("only advanced users of leaders read the configuration, and nobody's rules let them write it", () => {
  for (const access of ["standard", "advanced"] as const)
    for (const record of [testRecord({ access }), following(testRecord({ access }))]) {
      const rules = rulesOf(record, "default").filter((rule) => rule.startsWith("+config"));
      const reads = access === "advanced" && record.replication === undefined;
      expect(rules).toEqual(reads ? ["+config|get", "+config|resetstat"] : []);
    }
});

test("users are switched off while an add-on is being removed, the internal ones are not", () => {
  const record = { ...testRecord(), removing: { since: "2026-01-01T00:00:00.000Z" } };
  expect(rulesOf(record, "default")[0]).toBe("off");
  for (const name of [ADMIN_USER, REPLICA_USER, CAPTURE_USER]) expect(rulesOf(record, name)[0]).toBe("on");
});

test("where copies are refused only backups are let in to take one", () => {
  const mayCopy = (copying: "allowed" | "refused") =>
    aclUsers(testRecord(), copying)
      .filter(({ rules }) => rules.findLast((rule) => /psync|all/.test(rule))?.startsWith("+"))
      .map(({ name }) => name);
  expect(mayCopy("allowed")).toEqual(["default", ADMIN_USER, REPLICA_USER, CAPTURE_USER]);
  expect(mayCopy("refused")).toEqual([ADMIN_USER, CAPTURE_USER]);
});
