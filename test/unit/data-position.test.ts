import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  continuation,
  parseAofManifest,
  type AofFile,
  type AofPosition,
  type Continuation,
  type DataOnDisk,
  type DataPosition,
} from "../../provider/core/data-position";

/** An AOF as a server keeps it; a file's content stands for itself. */
interface Aof {
  readonly folder: string;
  readonly base: { readonly seq: number; readonly content: string };
  readonly incr: { readonly seq: number; readonly content: string };
  /** What a rewrite that is under way will write. */
  readonly rewriting?: string;
}

type Step =
  | { readonly kind: "append"; readonly text: string }
  | { readonly kind: "rewrite begins" | "rewrite ends" | "rewrite fails" | "restart" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("append" as const), text: fc.string({ minLength: 1, maxLength: 8 }) }),
  fc.constantFrom<Step>(
    { kind: "rewrite begins" },
    { kind: "rewrite ends" },
    { kind: "rewrite fails" },
    { kind: "restart" },
  ),
);

const BORN: Aof = { folder: "1", base: { seq: 1, content: "" }, incr: { seq: 1, content: "" } };

/** What Redis does: a rewrite begins with another file to append to, and ends with another base. */
function after(aof: Aof, next: Step): Aof {
  const { rewriting, ...rest } = aof;
  const { base, incr } = aof;
  switch (next.kind) {
    case "append":
      return { ...aof, incr: { ...incr, content: incr.content + next.text } };
    case "rewrite begins":
      if (rewriting !== undefined) return aof;
      return {
        ...rest,
        incr: { seq: incr.seq + 1, content: "" },
        rewriting: `${base.content}${incr.content} at ${incr.seq}`,
      };
    case "rewrite ends":
      return rewriting === undefined ? aof : { ...rest, base: { seq: base.seq + 1, content: rewriting } };
    case "rewrite fails":
    case "restart":
      return rest;
  }
}

const history = (from: Aof) =>
  fc
    .array(step, { maxLength: 30 })
    .map((steps) => steps.reduce<Aof[]>((all, next) => [...all, after(all.at(-1) ?? from, next)], [from]));

function file({ seq, content }: Aof["base"]): AofFile {
  return { seq, sizeBytes: content.length, tail: content.slice(-4) };
}

function position({ folder, base, incr }: Aof): AofPosition {
  return { folder, base: file(base), incr: file(incr) };
}

/** What a look at an AOF finds, by somebody who knows of an earlier one. */
function judged(seen: Aof, found: Aof): Continuation {
  const size = seen.incr.content.length;
  const isLong = found.incr.seq === seen.incr.seq && found.incr.content.length >= size;
  const tailAtMark = isLong ? found.incr.content.slice(0, size).slice(-4) : undefined;
  const onDisk: DataOnDisk = { lie: "aof", aof: position(found), tailAtMark, writtenAt: 0 };
  return continuation({ lie: "aof", aof: position(seen) }, 0, onDisk);
}

const isFine = (verdict: Continuation) => verdict === "proved" || verdict === "likely";

describe("an AOF", () => {
  it("goes on through whatever is appended, rewritten and restarted", () => {
    fc.assert(
      fc.property(history(BORN), (states) => {
        for (const [i, earlier] of states.entries())
          for (const later of states.slice(i)) expect(judged(earlier, later)).toSatisfy(isFine);
      }),
    );
  });

  it("in an older copy is found to be one, unless nothing is missing from it", () => {
    fc.assert(
      fc.property(history(BORN), fc.constantFrom("1", "2"), (states, folder) => {
        for (const [i, older] of states.entries())
          for (const newer of states.slice(i + 1)) {
            const isWhole =
              JSON.stringify([older.base, older.incr]) === JSON.stringify([newer.base, newer.incr]);
            expect(judged(newer, { ...older, folder })).toBe(isWhole ? "proved" : "older");
          }
      }),
    );
  });

  it("in a copy that is whole is proved to be the same, and what is appended to that too", () => {
    fc.assert(
      fc.property(history(BORN), fc.string({ maxLength: 8 }), (states, text) => {
        const last = states.at(-1) ?? BORN;
        const more = after({ ...last, folder: "2" }, { kind: "append", text });
        expect(judged(last, more)).toBe("proved");
      }),
    );
  });

  it("of another add-on is never proved to be the one that was there, however far it has come", () => {
    const others = history({ ...BORN, folder: "2", base: { seq: 1, content: "theirs" } }).map((states) =>
      states.map((state) => ({
        ...state,
        base: { ...state.base, content: `${state.base.content}!!!!` },
        incr: { ...state.incr, content: state.incr.content.replace(/./g, "!") },
      })),
    );
    const ours = history(BORN).map((states) =>
      states.map((state) => ({
        ...state,
        base: { ...state.base, content: `${state.base.content}....` },
        incr: { ...state.incr, content: state.incr.content.replace(/./g, ".") },
      })),
    );
    fc.assert(
      fc.property(ours, others, (mine, theirs) => {
        for (const other of theirs) {
          const verdict = judged(mine.at(-1) ?? BORN, other);
          expect(["older", "other"]).toContain(verdict);
        }
      }),
    );
  });
});

describe("how the data are kept was changed since they were seen, so the time decides", () => {
  const aof = (writtenAt: number): DataOnDisk => ({
    lie: "aof",
    aof: position(BORN),
    tailAtMark: undefined,
    writtenAt,
  });
  const snapshot = (writtenAt: number, tail = "t"): DataOnDisk => ({
    lie: "snapshot",
    sizeBytes: 9,
    tail,
    writtenAt,
  });
  const memory: DataPosition = { lie: "memory" };
  const saved: DataPosition = { lie: "snapshot", sizeBytes: 9, tail: "t" };
  test.each<[string, DataPosition, DataOnDisk, Continuation]>([
    ["a snapshot that a server wrote as it left", memory, snapshot(100), "likely"],
    ["a snapshot from before", memory, snapshot(99), "older"],
    ["the snapshot that was seen, whenever it was copied", saved, snapshot(1), "proved"],
    ["another one from before", saved, snapshot(1, "u"), "older"],
    ["an AOF that was begun later", memory, aof(101), "likely"],
    ["an AOF that was given up", memory, aof(1), "older"],
    ["nothing of what was in memory", memory, { lie: "nowhere" }, "gone"],
    ["nothing of what was on the disk", saved, { lie: "nowhere" }, "gone"],
  ])("%s", (_, seen, found, verdict) => {
    expect(continuation(seen, 100, found)).toBe(verdict);
  });
});

describe("a manifest", () => {
  it("names the base and the newest of the files that are appended to", () => {
    const text = [
      "file appendonly.aof.4.base.rdb seq 4 type b",
      "file appendonly.aof.3.incr.aof seq 3 type h",
      "file appendonly.aof.9.incr.aof seq 9 type i",
      "file appendonly.aof.10.incr.aof seq 10 type i startoffset 7",
      "",
    ].join("\n");
    expect(parseAofManifest(text)).toEqual({
      base: { name: "appendonly.aof.4.base.rdb", seq: 4 },
      incr: { name: "appendonly.aof.10.incr.aof", seq: 10 },
    });
  });

  it("of a new AOF may lack either, and garbage lacks both", () => {
    const [base, incr] = ["file a.1.base.rdb seq 1 type b\n", "file a.1.incr.aof seq 1 type i\n"];
    expect(parseAofManifest(base).incr).toBeUndefined();
    expect(parseAofManifest(incr).base).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.startsWith("file "));
        expect(parseAofManifest(text.replaceAll("\n", " "))).toEqual({ base: undefined, incr: undefined });
      }),
    );
  });
});
