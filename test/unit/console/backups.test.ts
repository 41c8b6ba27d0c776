import { describe, expect, it } from "vitest";
import { typedKey, wantsKey } from "../../../provider/console/pages/backups/key-field";
import { defaultPlan, planOptions } from "../../../provider/console/pages/backups/plan-options";
import { statusOf } from "../../../provider/console/pages/backups/refusal-page";
import {
  backupTable,
  fateCell,
  verifiedBadge,
  whyTaken,
} from "../../../provider/console/pages/backups/table";
import type { Activity } from "../../../provider/console/activities/activities";
import { stampOf } from "../../../provider/console/pages/backups/stamp";
import { shownAddon } from "../../support/shown-addon";
import { Failure } from "../../../provider/core/errors";
import type { ServerWish } from "../../../provider/core/facets";
import type { BackupDetails } from "../../../provider/operations/backup-catalog";
import type { SeenBackup } from "../../../provider/operations/look-at-backups";

const NOW = Date.parse("2026-05-10T12:00:00Z");
const seen = (more: Partial<SeenBackup> = {}): SeenBackup => ({
  slot: "20260510T030000000Z",
  takenAt: "2026-05-10T03:00:00.000Z",
  archiveExists: true,
  sizeBytes: 2048,
  keys: 12,
  reason: "scheduled",
  encrypted: false,
  pinned: false,
  verification: "verified",
  fate: { stays: true, reasons: ["at most 7 days old", "the newest"], until: "2026-05-18T03:00:00.000Z" },
  ...more,
});
const text = async (html: unknown) => String(await html).replaceAll(/<[^>]*>/g, "");

describe("a row of the table of backups", () => {
  const row = (backup: SeenBackup) =>
    text(backupTable([{ addon: "cache", backup, createdAt: "2026-05-01T00:00:00.000Z", now: NOW }]));

  it("tells when it was taken, what it holds, why it is kept and until when", async () => {
    const told = await row(seen());
    for (const part of ["2026-05-10 03:00:00 UTC", "9 h ago", "2.0 KiB", "12", "scheduled", "verified"])
      expect(told).toContain(part);
    expect(told).toContain("at most 7 days old, the newest; until 2026-05-18 03:00:00 UTC");
    expect(told).not.toContain("encrypted");
  });

  it("tells of one that is encrypted, pinned with somebody's words, or of an earlier add-on", async () => {
    const told = await row(
      seen({ encrypted: true, pinned: true, note: "<script>", takenAt: "2026-04-01T03:00:00.000Z" }),
    );
    expect(told).toContain("encrypted");
    expect(told).toContain("&lt;script&gt;");
    expect(told).toContain("stays until it is unpinned");
    expect(told).toContain("of an earlier add-on");
  });

  it("tells what the listing tells of one whose manifest can't be read, and why it can't", async () => {
    const unreadable = new Failure({
      code: "x",
      operation: "read",
      subject: "it",
      cause: "no JSON",
      hint: "Look",
    });
    const { keys: _, reason: __, ...listed } = seen();
    expect(await row({ ...listed, unreadable })).toContain("Cannot read it: no JSON. Look.");
  });
});

describe("what a cell says", () => {
  it.each([
    [
      { fate: { stays: false, reasons: ["older than 7 days"] } },
      "goes with the next backup: older than 7 days",
    ],
    [{ fate: { stays: true, reasons: ["the final one"] } }, "the final one; no end is foreseen"],
    [{}, "not known"],
  ])("of %j: %s", async (backup, words) => {
    expect(await text(fateCell({ pinned: false, ...backup }))).toBe(words);
  });

  it.each([
    [{ reason: "demand" }, "on demand"],
    [{ reason: "demand", purpose: "safety" }, "safety"],
    [{ reason: "demand", purpose: "upgrade" }, "before an upgrade"],
    [{ reason: "demand", purpose: "of tomorrow" }, "of tomorrow"],
    [{ reason: "final" }, "final"],
    [{}, "-"],
  ] as const)("of why %j was taken: %s", (backup, words) => {
    expect(whyTaken(backup)).toBe(words);
  });

  it.each([
    [{ archiveExists: true, verification: "verified" }, 'class="badge good">verified'],
    [{ archiveExists: true }, 'class="badge warn">not verified'],
    [{ archiveExists: true, verification: "structure-checked" }, 'class="badge warn">structure checked'],
    [{ archiveExists: true, verification: "damaged" }, 'class="badge bad">damaged'],
    [{ archiveExists: false, verification: "verified" }, 'class="badge bad">no archive'],
  ] as const)("of how far %j can be relied on: %s", async (backup, words) => {
    expect(String(await verifiedBadge(backup))).toContain(words);
  });

  it("tells beside the badge what its listing has against it", async () => {
    const told = await text(
      verifiedBadge({ archiveExists: true, damage: "size differs", verification: "verified" }),
    );
    expect(told).toBe("damaged size differs");
  });
});

describe("what a page of backups was made of", () => {
  const status = shownAddon({ name: "cache" });
  const ran = {
    ...status,
    backups: { ...status.backups, lastRun: { at: "x", outcome: "failed", detail: "" } },
  };
  const running: Activity = {
    ...{ id: "1", addon: "cache", tab: "backups", title: "verify", ifConsoleEnds: "", startedAt: "" },
    state: { kind: "running" },
  };

  it("is the same until a run, an activity's end or a minute", () => {
    const ended: Activity = { ...running, state: { kind: "done", words: [] } };
    const stamp = stampOf(status, [], NOW);
    expect(stampOf(status, [running], NOW + 1_000)).toBe(stamp);
    expect(stampOf(status, [ended], NOW)).not.toBe(stamp);
    expect(stampOf(status, [], NOW + 60_000)).not.toBe(stamp);
    expect(stampOf(ran as typeof status, [], NOW)).not.toBe(stamp);
  });
});

describe("what opens an encrypted backup", () => {
  const toPassphrase = { encryption: { format: "age" as const } };
  const toRecipients = { encryption: { format: "age" as const, recipients: ["age1x"] } };

  it("is asked for only where nobody here keeps it", () => {
    expect(wantsKey({}, {})).toBe(false);
    expect(wantsKey(toPassphrase, { passphrase: "kept" })).toBe(false);
    expect(wantsKey(toPassphrase, {})).toBe(true);
    expect(wantsKey(toRecipients, { passphrase: "of another" })).toBe(true);
  });

  it("is a passphrase as it was typed, or the identities in what was pasted", () => {
    expect(typedKey({}, "x")).toBeUndefined();
    expect(typedKey(toPassphrase, "")).toBeUndefined();
    expect(typedKey(toPassphrase, " with blanks ")).toEqual({ passphrase: " with blanks " });
    expect(typedKey(toRecipients, "# made 2026 AGE-SECRET-KEY-1QQQ AGE-SECRET-KEY-1ZZZ")).toEqual({
      identities: ["AGE-SECRET-KEY-1QQQ", "AGE-SECRET-KEY-1ZZZ"],
    });
  });

  it("is not repeated where it can't be one", () => {
    expect(() => typedKey(toRecipients, "hunter2")).toThrow(/no age identity/);
    expect(() => typedKey(toRecipients, "hunter2")).not.toThrow(/hunter2/);
  });
});

describe("the plans for a backup's data", () => {
  const MIB = 1024 ** 2;
  const details = (usedMemoryBytes: number, database = 0) =>
    ({
      manifest: {
        server: { name: "redis", version: "7.0.15" },
        rdb: { magic: "REDIS0010", version: 10, sizeBytes: 1 },
        files: [],
        usedMemoryBytes,
        keyspace: { databases: { [database]: { keys: 1, expires: 0 } } },
      },
    }) as unknown as BackupDetails;
  const chosen = (plan: ServerWish["plan"], backup: BackupDetails) => {
    const wish = { plan, evictionPolicy: "noeviction" } as const;
    return defaultPlan(planOptions(wish, backup), wish)?.plan;
  };

  it("begin with the same where that fits, else with the smallest that does", () => {
    expect(chosen("l_mono", details(10 * MIB))).toBe("l_mono");
    expect(chosen("s_mono", details(300 * MIB))).toBe("l_mono");
    expect(chosen("s_mono", details(10 * MIB, 4))).toBe("m_mono");
    const own = { memory: "3gb", connections: 10, databases: 2 };
    expect(chosen(own, details(10 * MIB))).toBe(own);
    expect(chosen(own, details(10 * MIB, 3))).toBe("m_mono");
    expect(chosen("s_mono", details(90_000 * MIB))).toBeUndefined();
  });

  it("say which are too small", () => {
    const options = planOptions({ plan: "s_mono", evictionPolicy: "noeviction" }, details(200 * MIB));
    expect(options[0]?.words).toBe("s_mono: 128 MiB, 100 connections, 1 database (too small)");
    expect(options[1]?.words).toBe("m_mono: 256 MiB, 250 connections, 5 databases");
  });
});

describe("HTTP's word for a failure", () => {
  it.each([
    ["no-such-backup", false, 404],
    ["not-confirmed", false, 400],
    ["pinned", false, 409],
    ["store-slow", true, 503],
    ["unexpected", false, 500],
  ])("of %s is %s: %s", (code, transient, status) => {
    expect(statusOf(new Failure({ code, operation: "a", subject: "b", cause: "c", transient }))).toBe(status);
  });
});
