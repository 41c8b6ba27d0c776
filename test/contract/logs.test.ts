import { appendFile, open, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boundLog } from "../../provider/agent/bound-logs";
import { serverLine } from "../../provider/platforms/local/log/server-lines";
import {
  linesSince,
  newestLines,
  NOWHERE,
  type LogSourceFile,
} from "../../provider/platforms/local/log/read-source";
import { temporaryFolder } from "./backup-support";

function sourceAt(path: string): LogSourceFile {
  return { path, read: (line) => ({ line: serverLine(line), isAbout: true }) };
}

/** Of the agent: lines that begin with `+` are about the add-on, those with `-` not, others go on. */
function mixedSourceAt(path: string): LogSourceFile {
  const about = { "+": { isAbout: true }, "-": { isAbout: false } } as const;
  return {
    path,
    read: (line) => ({ line: serverLine(line), ...(about[line[0] as "+" | "-"] as object | undefined) }),
  };
}

const texts = (lines: readonly { readonly text: string }[]) => lines.map(({ text }) => text);

/** Short ones, empty ones, some of several bytes a character, and some of which a few are what is read at once. */
const someLine = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }).map((text) => text.replaceAll(/[\r\n]/g, "_")),
  fc.integer({ min: 3_000, max: 4_000 }).map((length) => "é".repeat(length / 2)),
);

describe("reading a log from its end", () => {
  it("finds the newest lines, as many as were asked for, whatever their lengths", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "server.log");
    await fc.assert(
      fc.asyncProperty(
        fc.array(someLine, { maxLength: 60 }),
        fc.integer({ min: 0, max: 65 }),
        async (lines, n) => {
          await writeFile(path, lines.map((line) => `${line}\n`).join(""));
          const { lines: read } = await newestLines(sourceAt(path), n);
          expect(texts(read)).toEqual(n === 0 ? [] : lines.slice(-n));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("goes on in what was cut off before", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "server.log");
    await writeFile(`${path}.1`, "one\ntwo\n");
    await writeFile(path, "three\n");
    expect(texts((await newestLines(sourceAt(path), 2)).lines)).toEqual(["two", "three"]);
    expect(texts((await newestLines(sourceAt(path), 9)).lines)).toEqual(["one", "two", "three"]);
  });

  it("leaves out what is about others, with what goes on with it", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "agent.log");
    await writeFile(path, "of whom?\n+ mine\n  more of mine\n- not mine\n  more of it\n+ mine too\n");
    const { lines } = await newestLines(mixedSourceAt(path), 10);
    expect(texts(lines)).toEqual(["+ mine", "  more of mine", "+ mine too"]);
    const since = await linesSince(mixedSourceAt(path), NOWHERE);
    expect(texts(since.lines)).toEqual(["+ mine", "  more of mine", "+ mine too"]);
  });

  it("waits for the end of a line that is being written", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "server.log");
    await writeFile(path, "whole\nha");
    const first = await newestLines(sourceAt(path), 5);
    expect(texts(first.lines)).toEqual(["whole"]);
    await appendFile(path, "lf\n");
    expect(texts((await linesSince(sourceAt(path), first.end)).lines)).toEqual(["half"]);
  });

  it("shows of a line without an end no more than its beginning", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "server.log");
    await writeFile(path, `${"x".repeat(400_000)}\nlast\n`);
    const { lines } = await newestLines(sourceAt(path), 5);
    expect(texts(lines)).toEqual([`${"x".repeat(4 * 1024)}…`, "last"]);
  });

  it("is empty where nothing was written yet, and begins with the first line", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "server.log");
    const { lines, end } = await newestLines(sourceAt(path), 5);
    expect(lines).toEqual([]);
    await writeFile(path, "first\n");
    expect(texts((await linesSince(sourceAt(path), end)).lines)).toEqual(["first"]);
  });
});

describe("following a log", () => {
  it("shows every line once, in order, however often the log is cut or takes another file's place", async () => {
    await using folder = await temporaryFolder();
    let run = 0;
    const step = fc.constantFrom("write", "write", "read", "cut", "replace");
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const path = join(folder.path, `${run++}.log`);
        await writeFile(path, "");
        let { end } = await newestLines(sourceAt(path), 0);
        const shown: string[] = [];
        const read = async () => {
          const since = await linesSince(sourceAt(path), end);
          shown.push(...texts(since.lines));
          end = since.end;
        };
        const written: string[] = [];
        for (const what of [...steps, "read"]) {
          if (what === "write") await appendFile(path, `${written.push(`line ${written.length}`) - 1}\n`);
          if (what === "read") await read();
          // What was written before the last cut but one is gone: a reader has to come in between.
          if (what === "cut" || what === "replace") await read();
          if (what === "cut") await boundLog(path, 1);
          if (what === "replace") {
            await rename(path, `${path}.1`);
            await writeFile(path, "");
          }
        }
        expect(shown).toEqual(written.map((_, i) => String(i)));
      }),
      { numRuns: 60 },
    );
  });

  it("finds what was written between its last look and the cut", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "server.log");
    await writeFile(path, "seen\n");
    const { end } = await newestLines(sourceAt(path), 5);
    await appendFile(path, "not seen\n");
    await boundLog(path, 1);
    await appendFile(path, "after\n");
    expect(texts((await linesSince(sourceAt(path), end)).lines)).toEqual(["not seen", "after"]);
  });
});

describe("a log that grew too long", () => {
  it("is cut under its writer, who goes on at its beginning, and what it held is kept for the user alone", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "server.log");
    const writer = await open(path, "a", 0o600);
    await writer.write("a".repeat(2000));
    await boundLog(path, 1000);
    await writer.write("more\n");
    await writer.close();
    expect(await readFile(path, "utf8")).toBe("more\n");
    expect(await readFile(`${path}.1`, "utf8")).toBe("a".repeat(2000));
    expect((await stat(`${path}.1`)).mode & 0o777).toBe(0o600);
    await boundLog(path, 1000);
    expect(await readFile(path, "utf8")).toBe("more\n");
  });
});
