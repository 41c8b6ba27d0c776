import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ageText } from "../../provider/operations/words/age";
import {
  healthWords,
  newestVerifiedCell,
  newestVerifiedWords,
  nextRunWords,
  restoredWords,
  restoringWords,
  retentionWords,
  storedWords,
} from "../../provider/operations/words/backup-words";
import { EXIT, exitCodeOfBackups } from "../../provider/cli/exit-codes";
import { openingWords } from "../../provider/cli/opening-words";
import { retentionOf } from "../../provider/cli/retention-options";
import { fieldLines, tableLines } from "../../provider/cli/table";
import { some, sharedWords } from "../../provider/operations/words/shared-words";
import type { BackupsState } from "../../provider/core/status";

const SLOT = "20260501T030000000Z";

describe("how a backup is opened", () => {
  const plain = { slot: SLOT, archive: `s3://b/redis/shop/${SLOT}-a.tar.gz` };
  const encrypted = { slot: SLOT, archive: `s3://b/redis/shop/${SLOT}-a.tar.gz.age` };

  it("is said without a word of encryption where there is none", () => {
    expect(openingWords(plain, { name: "cache" })).toMatch(/^Open it: extract it into an empty folder/);
    expect(openingWords(plain, { name: "cache" })).not.toMatch(/age|crypt/);
  });

  it("begins with its decryption where it is encrypted, with a command that can be pasted", () => {
    const own = openingWords(encrypted, { name: "cache" });
    expect(own).toContain("decrypted first, by age --decrypt");
    expect(own).toContain(`  redis-addon backup download cache ${SLOT} --extract ./copy && cd copy`);
    const store = "s3://b/redis?region=x&endpoint=https://y";
    expect(openingWords(encrypted, { store })).toContain(
      `download shop ${SLOT} --store '${store}' --extract ./copy`,
    );
  });
});

describe("a table", () => {
  const header = ["A", "LONG", "B"];
  const rows = [["1", "x".repeat(20), "2"]];
  const lines = (room: number) => tableLines(header, rows, { room, expendable: ["LONG", "A"] });

  it("has all its columns where there is room for them", () => {
    expect(lines(26)).toEqual([`A  LONG${" ".repeat(16)}  B`, `1  ${"x".repeat(20)}  2`]);
  });

  it("goes without what may be left out where there is none, one column after the other until it fits", () => {
    expect(lines(25)).toEqual(["A  B", "1  2"]);
    expect(lines(3)).toEqual(["B", "2"]);
  });

  it("wraps its last column between words where it is too wide all the same", () => {
    const row = ["follower", "connecting to somebody at file:///a/very/long/path"];
    expect(tableLines(["ROLE", "WHY"], [row], { room: 30, expendable: [] })).toEqual([
      "ROLE      WHY",
      "follower  connecting to",
      "          somebody at",
      "          file:///a/very/long/path",
    ]);
  });

  it("has its rows one below the other where not even that has room", () => {
    const rows = [
      ["shop-dev-cache", "leader"],
      ["shop-dev-copy", "follower"],
    ];
    expect(tableLines(["NAME", "ROLE"], rows, { room: 20, expendable: [] })).toEqual([
      "NAME  shop-dev-cache",
      "ROLE  leader",
      "",
      "NAME  shop-dev-copy",
      "ROLE  follower",
    ]);
  });

  it("loses no word, breaks none, and is as wide as it may be unless one word is wider", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b", "/"), minLength: 1, maxLength: 20 });
    const cell = fc.array(word, { minLength: 1, maxLength: 8 }).map((words) => words.join(" "));
    const table = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(table, fc.integer({ min: 1, max: 120 }), (cells, room) => {
        const drawn = tableLines(["A", "B", "C"], cells, { room, expendable: [] });
        const words = drawn.join(" ").split(/ +/);
        for (const one of cells.flat().flatMap((text) => text.split(" "))) expect(words).toContain(one);
        // Beside a label and a gap there must be room for the widest word.
        if (room >= 40) for (const line of drawn) expect(line.length).toBeLessThanOrEqual(room);
      }),
    );
  });

  it("is one line a row, whatever somebody else wrote into a cell", () => {
    const room = { room: Infinity, expendable: [] };
    expect(tableLines(["A"], [["x\nB"]], room)).toEqual(["A", "x?B"]);
    expect(fieldLines([["Pinned", "no\nVerified  yes"]])).toEqual(["Pinned  no?Verified  yes"]);
  });
});

describe("what is wrong with several add-ons alike", () => {
  it("is said once, of some of them and how many others", () => {
    const said = ["a", "b", "c", "d", "e", "f"].map((addon) => ({ addon, text: "no agent" }));
    expect(sharedWords([...said, { addon: "b", text: "full" }])).toEqual([
      "a, b, c, d and 2 more: no agent",
      "b: full",
    ]);
    expect(some(["a", "b", "c"], 2)).toBe("a, b and 1 more");
  });
});

describe("an age", () => {
  const H = 3_600_000;

  it("is told in the unit that says enough, and never below nothing", () => {
    const told = [-5, 999, 59_999, 60_000, H - 1, H, 47.9 * H, 48 * H, 400 * H].map(ageText);
    expect(told).toEqual(["0 s", "0 s", "59 s", "1 min", "59 min", "1 h", "47 h", "2 days", "16 days"]);
  });

  it("never claims more than has passed", () => {
    const units: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: H, days: 24 * H };
    fc.assert(
      fc.property(fc.nat(10 * 365 * 24 * H), (ms) => {
        const [count, unit = ""] = ageText(ms).split(" ");
        const told = Number(count) * (units[unit] ?? NaN);
        return told <= ms && ms - told < (units[unit] ?? NaN);
      }),
    );
  });
});

describe("what is said of backups", () => {
  const AT = "2026-05-01T03:00:00.000Z";
  const now = Date.parse("2026-05-01T08:30:00.000Z");
  const state: BackupsState = {
    schedule: { daily: "03:00" },
    retention: { days: 7 },
    catalog: "file:///backups/cache-0",
    health: { state: "fresh" },
    newestVerified: AT,
    next: "2026-05-02T03:00:00.000Z",
  };

  it("names every rule of a retention", () => {
    expect(retentionWords({ days: 1 })).toBe("1 day");
    expect(
      retentionWords({ days: 7, keepLast: 3, daily: 14, weekly: 1, monthly: 12, yearly: 2, minimum: 2 }),
    ).toBe(
      "7 days or the last 3 or one a day for 14 days or one a week for 1 week or one a month for 12 months or " +
        "one a year for 2 years, at least 2",
    );
  });

  it("tells the newest verified one by its instant and its age, or that none is known", () => {
    expect(newestVerifiedWords(state, now)).toBe(`${AT}, 5 h ago`);
    const { newestVerified: _, ...without } = state;
    expect(newestVerifiedWords(without, now)).toBe("none is known");
    expect([newestVerifiedCell(state, now), newestVerifiedCell(without, now)]).toEqual(["5 h ago", "never"]);
  });

  it("tells one that was noted and isn't where backups are now from one that there never was", () => {
    const { newestVerified: missing = "", ...without } = state;
    expect(newestVerifiedWords({ ...without, missing }, now)).toBe(
      `${AT} is noted, but not found at the destination`,
    );
    expect(newestVerifiedCell({ ...without, missing }, now)).toBe("not found");
    expect(newestVerifiedCell({ ...state, missing }, now)).toBe("5 h ago");
  });

  it("says why they are not fresh, and that nobody takes the next one where no agent runs", () => {
    expect(healthWords({ state: "fresh" })).toBe("fresh");
    expect(healthWords({ state: "overdue", why: "none since May" })).toBe("overdue: none since May");
    expect(nextRunWords(state)).toBe(state.next);
    expect(nextRunWords({ ...state, unattended: "no agent" })).toBe(`${state.next}, if an agent runs then`);
    expect(nextRunWords({})).toBe("never");
  });

  it("counts what lies in the store, or says why nobody could", () => {
    expect(storedWords({ backups: 0, verified: 0, sizeBytes: 0 })).toBe("none");
    expect(storedWords({ backups: 3, verified: 3, sizeBytes: 2048 })).toBe("3, 2.0 KiB, all verified");
    expect(storedWords({ backups: 3, verified: 1, sizeBytes: 10 })).toBe("3, 10 B, 1 of them verified");
    expect(storedWords({ unknown: "the folder is gone" })).toBe("not known: the folder is gone");
  });

  it("tells of a restore where the data are from, and where those that they replaced are", () => {
    const restore = {
      from: { addon: "shop", backup: "latest" },
      backup: SLOT,
      archive: "file:///a",
    } as const;
    expect(restoredWords({ ...restore, at: AT, keys: 7, safetyBackup: "S" })).toBe(
      `${SLOT} of shop, at ${AT}, 7 keys; what it held before is in backup S`,
    );
    const url = "s3://b/redis/shop-0";
    expect(restoringWords({ ...restore, from: { url, backup: SLOT }, since: AT })).toBe(
      `from ${SLOT} of ${url}, since ${AT}`,
    );
    // An archive's URL names it already.
    for (const archive of [`${url}/${SLOT}-a.tar.gz?endpoint=http://x`, "file:///my/old%20one.tar.gz"]) {
      const [, name = ""] = /([^/]+\.gz)/.exec(archive) ?? [];
      const lone = { from: { url: archive, backup: "latest" }, backup: decodeURIComponent(name) };
      expect(restoringWords({ ...restore, ...lone, since: AT })).toBe(`from ${archive}, since ${AT}`);
    }
  });

  it("ends with a code that a monitor can go by", () => {
    expect(exitCodeOfBackups([])).toBe(EXIT.done);
    expect(exitCodeOfBackups([{ state: "fresh" }, { state: "fresh" }])).toBe(EXIT.done);
    for (const state of ["failing", "overdue"] as const)
      expect(exitCodeOfBackups([{ state: "fresh" }, { state }])).toBe(EXIT.notFresh);
  });
});

describe("rules of a retention as options", () => {
  it("are those of a policy, and none where none is given", () => {
    expect(retentionOf({})).toBeUndefined();
    expect(retentionOf({ days: "7", keepLast: "3", daily: "1", minimum: "2" })).toEqual({
      ...{ days: 7, keepLast: 3, daily: 1, minimum: 2 },
    });
  });

  it("are refused by the name that was typed where they say nothing", () => {
    expect(() => retentionOf({ keepLast: "few" })).toThrow(/--keep-last: write a whole number of backups/);
    expect(() => retentionOf({ days: "0" })).toThrow(/--days: write a whole number of days, at least 1/);
    expect(() => retentionOf({ minimum: "3" })).toThrow(/Add a rule/);
  });
});
