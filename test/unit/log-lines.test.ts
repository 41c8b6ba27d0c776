import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogLine } from "../../provider/platforms/contract";
import { agentLine } from "../../provider/platforms/local/log/agent-lines";
import { withoutSecrets } from "../../provider/platforms/local/log/known-secrets";
import { mergeLines } from "../../provider/platforms/local/log/merge-lines";
import { serverLine } from "../../provider/platforms/local/log/server-lines";
import { testRecord } from "../support/local-addon";

describe("a line of a server's log", () => {
  it.each([
    [".", "debug"],
    ["-", "info"],
    ["*", "info"],
    ["#", "warning"],
  ])("marked %s is %s, and its time is an instant", (mark, level) => {
    expect(serverLine(`4711:M 06 Nov 2026 08:59:02.123 ${mark} Ready: to * accept`)).toEqual({
      at: "2026-11-06T08:59:02.123Z",
      source: "server",
      level,
      text: "Ready: to * accept",
    });
  });

  it.each([
    "oO0OoO0OoO0Oo Valkey is starting oO0OoO0OoO0Oo",
    "Redis version=7.0.15, bits=64, commit=00000000, modified=0, pid=15656, just started",
    "Server initialized",
    "User requested shutdown...",
    "Redis is now ready to exit, bye bye...",
    "Connection with replica 127.0.0.1:<unknown-replica-port> lost.",
  ])("is no warning where it tells the usual course of things: %s", (text) => {
    expect(serverLine(`4711:M 06 Nov 2026 08:59:02.123 # ${text}`)).toMatchObject({ level: "info", text });
  });

  it.each([
    "Connection with replica 127.0.0.1:6380 lost.",
    "Server initialized, but nobody knows how",
    "Failover request received for replid 5c1e.",
  ])("is a warning where it only looks like that: %s", (text) => {
    expect(serverLine(`4711:M 06 Nov 2026 08:59:02.123 # ${text}`).level).toBe("warning");
  });

  it("that it wrote while it handled a signal has its time too", () => {
    expect(serverLine("24223:signal-handler (1795425750) Received SIGTERM scheduling shutdown...")).toEqual({
      at: "2026-11-23T09:22:30.000Z",
      source: "server",
      level: "info",
      text: "Received SIGTERM scheduling shutdown...",
    });
  });

  it("without a time is kept as it stands", () => {
    for (const text of ["", "  `-._    `-.__.-'", "4711:M 06 Foo 2026 08:59:02.123 * no month"])
      expect(serverLine(text)).toEqual({ source: "server", level: "info", text });
  });
});

describe("a line of the agent's log", () => {
  const at = "2026-11-06T08:59:02.123Z";

  it("is about the add-on whose name begins it, and no other's", () => {
    expect(agentLine(`${at} cache: server 12 runs`, "cache")).toEqual({
      line: { at, source: "agent", level: "info", text: "server 12 runs" },
      isAbout: true,
    });
    for (const other of ["cache-2: server 12 runs", "agent 1f serves /home", "my cache: runs"])
      expect(agentLine(`${at} ${other}`, "cache").isAbout).toBe(false);
  });

  it("without a time goes on with the one before it", () => {
    expect(agentLine("    at somewhere", "cache")).toMatchObject({ line: { text: "    at somewhere" } });
    expect(agentLine("    at somewhere", "cache").isAbout).toBeUndefined();
  });

  it("that tells of something that went wrong is a warning", () => {
    for (const text of ["backup failed: the disk is full", "server 12 is gone", "it can't be looked at"])
      expect(agentLine(`${at} cache: ${text}`, "cache").line.level).toBe("warning");
  });
});

/** Lines as one source may have written them: its clock may have been set back, and some go on with others. */
function written(source: LogLine["source"]): fc.Arbitrary<LogLine[]> {
  const time = fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined });
  return fc.array(time).map((times) =>
    times.map((ms, i) => ({
      ...(ms === undefined ? {} : { at: new Date(ms).toISOString() }),
      source,
      level: "info",
      text: `${source} ${i}`,
    })),
  );
}

describe("merged lines", () => {
  it("are those of both sources, each in the order in which it was written", () => {
    fc.assert(
      fc.property(written("server"), written("agent"), (server, agent) => {
        const merged = mergeLines(server, agent);
        expect(merged.filter(({ source }) => source === "server")).toEqual(server);
        expect(merged.filter(({ source }) => source === "agent")).toEqual(agent);
        expect(merged).toHaveLength(server.length + agent.length);
      }),
    );
  });

  it("are in the order of their times where each source's are", () => {
    const sorted = (source: LogLine["source"]) =>
      written(source).map((lines) =>
        lines.filter(({ at }) => at !== undefined).toSorted((a, b) => (a.at ?? "").localeCompare(b.at ?? "")),
      );
    fc.assert(
      fc.property(sorted("server"), sorted("agent"), (server, agent) => {
        const times = mergeLines(server, agent).map(({ at = "" }) => at);
        expect(times).toEqual(times.toSorted());
      }),
    );
  });

  it("keep what goes on with a line behind it", () => {
    fc.assert(
      fc.property(written("server"), written("agent"), (server, agent) => {
        const merged = mergeLines(server, agent);
        for (const [i, line] of merged.entries())
          if (line.at === undefined && i > 0 && merged[i - 1]?.source !== line.source)
            // Only what goes on with a line that was never read stands behind another source's.
            expect([server[0], agent[0]]).toContain(line);
      }),
    );
  });
});

describe("what a server wrote", () => {
  const hide = withoutSecrets(testRecord());

  it("shows no password of the add-on", () => {
    expect(hide("tried user-pw, then admin-pw and replica-pw")).toBe(
      "tried [secret], then [secret] and [secret]",
    );
  });

  it("shows no line of a configuration or of users that holds one", () => {
    expect(hide(`>>> 'masterauth "somebody else's"'`)).toBe(">>> 'masterauth [secret]");
    const hash = "0123456789abcdef".repeat(4);
    expect(hide(`user default on #${hash} +@all`)).toBe("user default on #[secret] +@all");
  });

  it("shows of the command that a server crashed on the name alone", () => {
    expect(hide("argv[0] = '\"SET\"'")).toBe("argv[0] = '\"SET\"'");
    expect(hide("argv[1] = '\"a key\"'")).toBe("argv[1] = [hidden]");
  });
});
