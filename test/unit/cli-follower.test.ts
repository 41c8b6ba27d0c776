import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exitCodeOfFollower } from "../../provider/cli/exit-codes";
import {
  followerRow,
  lagWords,
  leaderWords,
  stateWords,
  statusFields,
} from "../../provider/operations/words/follower-words";
import { parseDuration, durationText } from "../../provider/cli/duration";
import { watchDisplay } from "../../provider/cli/watch-display";
import type { FollowerStatus } from "../../provider/core/follower-status";
import { asSeen } from "../../provider/operations/inspect/followers";
import { switchoverWords } from "../../provider/operations/replication-words";

const FOLLOWER: FollowerStatus = {
  addon: "copy",
  role: "follower",
  leader: { addon: "lead", host: "127.0.0.1", port: 6379 },
  state: "synced",
  durable: true,
  link: "up",
  lagBytes: 1536,
  lagSeconds: 1,
  lastSyncedAt: "2026-01-02T00:00:00.000Z",
  inSyncSince: "2026-01-01T00:00:00.000Z",
  health: "healthy",
  server: "running",
  problems: [],
};
const { leader: _, state: __, ...rest } = FOLLOWER;
const LEADER: FollowerStatus = { ...rest, addon: "lead", role: "leader", followers: [] };

const valueOf = (status: FollowerStatus, label: string) => new Map(statusFields(status)).get(label);

describe("how a follower reads", () => {
  it("names an add-on with its address, any other Redis by its address alone", () => {
    expect(leaderWords(FOLLOWER)).toBe("lead (127.0.0.1:6379)");
    expect(leaderWords({ leader: { host: "db.example", port: 6379 } })).toBe("db.example:6379");
    expect(leaderWords({ leader: { addon: "lead" } })).toBe("lead, which is gone");
  });

  it("tells the lag as far as it is known", () => {
    expect(lagWords(FOLLOWER)).toBe("1.5 KiB, 1 s");
    expect(lagWords({ lagSeconds: 3 })).toBe("3 s");
    expect(lagWords({})).toBeUndefined();
    expect(valueOf({ ...FOLLOWER, state: "waiting", lagBytes: 0, lagSeconds: 0 }, "Lag")).toBe("0 B, 0 s");
  });

  it("tells a guessed percentage as such", () => {
    const syncing = { state: "syncing", catchingUp: false, doneBytes: 1024 ** 2, percent: 25 } as const;
    expect(valueOf({ ...FOLLOWER, ...syncing, estimated: true }, "State")).toBe(
      "receiving the leader's snapshot, 1.0 MiB (~25 %)",
    );
  });

  it("says since when it is in sync only while it is, and when it last was in any case", () => {
    const { inSyncSince: _, ...behind } = { ...FOLLOWER, state: "connecting" } as const;
    expect(valueOf(FOLLOWER, "In sync since")).toBe("2026-01-01T00:00:00.000Z");
    expect(valueOf(behind, "In sync since")).toBeUndefined();
    expect(valueOf(behind, "Last in sync")).toBe("2026-01-02T00:00:00.000Z");
    const { lastSyncedAt: __, ...never } = behind;
    expect(valueOf(never, "Last in sync")).toBe("never");
  });

  it("is one line for who watches, which the lag doesn't change", () => {
    expect(stateWords(FOLLOWER)).toBe("follower of lead: synced, link up");
    expect(stateWords({ ...FOLLOWER, lagBytes: 5 })).toBe(stateWords(FOLLOWER));
    const switchover = { to: "copy", since: "2026-01-01T00:00:00.000Z" };
    expect(stateWords({ ...FOLLOWER, switchover })).toMatch(/, a switchover to copy is under way$/);
  });

  it("of a leader says who follows it, and how it came to lead", () => {
    expect(stateWords(LEADER)).toBe("leader, nobody follows it");
    const followers = [
      { addon: "copy", host: "127.0.0.1", port: 1, state: "absent" },
      { host: "10.0.0.7", port: 6379, state: "online", lagBytes: 0, lagSeconds: 1 },
    ] as const;
    expect(stateWords({ ...LEADER, position: "switched-over", followers })).toBe(
      "leader (by a switchover), followed by copy absent, 10.0.0.7:6379 online",
    );
    expect(followers.map(followerRow)).toEqual([
      ["copy", "127.0.0.1:1", "absent", "-"],
      ["-", "10.0.0.7:6379", "online", "0 B, 1 s"],
    ]);
  });
});

describe("a follower among those that its leader sees", () => {
  const seen = (host: string, port = 6379) => ({ host, port, state: "online", offset: 0, lagSeconds: 0 });
  const here = { host: "127.0.0.1", port: 6379 };

  it("is the one with its port, from wherever the leader sees it come", () => {
    expect(asSeen(here, [seen("10.0.0.7"), seen("10.0.0.7", 1)])).toEqual(seen("10.0.0.7"));
    expect(asSeen(here, [])).toBeUndefined();
  });

  it("of several with that port is the one of this machine, or none: a guess would show another's lag", () => {
    expect(asSeen(here, [seen("10.0.0.7"), seen("::ffff:127.0.0.1")])?.host).toBe("::ffff:127.0.0.1");
    expect(asSeen(here, [seen("10.0.0.7"), seen("10.0.0.8")])).toBeUndefined();
  });
});

describe("how a switchover went", () => {
  it("is told with as many answers as there were", () => {
    const measured = { worstStallMs: 52, readonlyAnswers: 2, readonlyMs: 9 };
    expect(switchoverWords("lead", measured)).toBe(
      "writes stood still for 52 ms at most; lead answered READONLY 2 times, within 9 ms",
    );
    expect(switchoverWords("lead", { ...measured, readonlyAnswers: 1 })).toContain("READONLY once");
    expect(switchoverWords("lead", { ...measured, readonlyAnswers: 0 })).toMatch(/nobody READONLY$/);
  });
});

it.each([
  [FOLLOWER, 0],
  [{ ...FOLLOWER, state: "loading" } as const, 6],
  [{ ...FOLLOWER, state: "broken" } as const, 7],
  [LEADER, 8],
])("the exit code of %j is %d", (status, code) => {
  expect(exitCodeOfFollower(status)).toBe(code);
});

describe("a duration", () => {
  it("is a number with a unit, and nothing else", () => {
    expect(["500ms", "10s", "2m"].map(parseDuration)).toEqual([500, 10_000, 120_000]);
    for (const text of ["", "10", "s", "0s", "1.5s", "-1s", "10 s", "1h"])
      expect(() => parseDuration(text), text).toThrow("write it as 500ms, 10s or 2m");
    expect([500, 10_000, 1_500].map(durationText)).toEqual(["500 ms", "10 s", "1500 ms"]);
  });
});

describe("what is drawn again and again", () => {
  const CLEAR_LINE = "\r\u001B[2K";
  const drawn = (screen: { columns?: number; rows?: number }, ...shown: readonly string[][]) => {
    const written: string[] = [];
    const display = watchDisplay({ ...screen, write: (text: string) => written.push(text) });
    for (const lines of shown) display.show(lines);
    return written;
  };

  it("goes back to where it began, and leaves nothing of what was longer", () => {
    const [first, second] = drawn({ columns: 80 }, ["one", "two"], ["three"]);
    expect(first).toBe(`${CLEAR_LINE}one\n${CLEAR_LINE}two\n\u001B[J`);
    expect(second).toBe(`\u001B[2A${CLEAR_LINE}three\n\u001B[J`);
  });

  it("never takes more lines than it goes back, however narrow and low the terminal", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom("a", " ", "…") }), { minLength: 1 }),
        fc.integer({ min: 2, max: 100 }),
        fc.integer({ min: 2, max: 50 }),
        (lines, columns, rows) => {
          const [first = "", second = ""] = drawn({ columns, rows }, lines, lines);
          const taken = first.split("\n").length - 1;
          expect(taken).toBeLessThan(rows);
          expect(second.startsWith(`\u001B[${taken}A`)).toBe(true);
          for (const line of first.replaceAll(CLEAR_LINE, "").split("\n").slice(0, -1))
            expect(line.length).toBeLessThan(columns);
        },
      ),
    );
  });
});
