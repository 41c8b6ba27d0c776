import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Failure } from "../../provider/core/errors";
import { Secret } from "../../provider/core/secret";
import type { Task } from "../../provider/core/task";
import { openSnapshot } from "../../provider/redis/replication/snapshot";
import { bulk, LAST, type Script, scripted } from "./snapshot-wire";
import { whole } from "../support/whole";

const PASSWORD = "pässword: s3cret";
const MARK = "0123456789abcdef0123456789abcdef01234567";
const ID = "8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb";
const leader = { host: "leader", port: 6379, username: "taker", password: new Secret(PASSWORD) };
const task: Task = {
  signal: new AbortController().signal,
  clock: { now: () => 0, sleep: () => Promise.reject(new Error("nobody sleeps here")) },
  progress: () => undefined,
};

const STEPS = ["AUTH", "INFO", "CONFIG", "REPLCONF rdb-only", "REPLCONF capa", "PSYNC"] as const;
type Step = (typeof STEPS)[number] | "HELLO";

function stepOf([name = "", option]: readonly string[]): Step {
  return (name === "REPLCONF" ? `${name} ${option}` : name) as Step;
}

/** A server that does all that it is asked. */
function right(step: Step, payload: Buffer, marked: boolean): Buffer {
  switch (step) {
    case "INFO":
      return Buffer.from(bulk("redis_version:7.2.4\r\nused_memory:1000\r\nused_memory_dataset:100\r\n"));
    case "HELLO":
      return Buffer.from(`*4\r\n${bulk("server")}${bulk("redis")}${bulk("version")}${bulk("7.2.4")}`);
    case "CONFIG":
      return Buffer.from(`*2\r\n${bulk("repl-diskless-sync")}${bulk("yes")}`);
    case "PSYNC":
      return Buffer.concat([
        Buffer.from(`+FULLRESYNC ${ID} 42\r\n\n\n`),
        Buffer.from(marked ? `$EOF:${MARK}\r\n` : `$${payload.length}\r\n`),
        payload,
        Buffer.from(marked ? MARK : ""),
      ]);
    default:
      return Buffer.from("+OK\r\n");
  }
}

interface Outcome {
  readonly bytes?: Buffer;
  readonly failure?: unknown;
}

/** Reads one snapshot to its end. A wait that never ends fails the test by its own deadline. */
async function read(script: Script, signal = task.signal): Promise<Outcome> {
  const { connect } = scripted(script);
  try {
    const snapshot = await openSnapshot(leader, { ...task, signal }, { connect });
    expect(snapshot).toMatchObject({ replicationId: ID, offset: 42 });
    return { bytes: await whole(snapshot.content) };
  } catch (failure) {
    return { failure };
  }
}

const KNOWN_CODES =
  /^(wrong-password|password-needed|protected-mode|not-permitted|leader-(loading|busy|without-link|too-old|unreachable|would-use-disk)|too-many-clients|no-snapshot|no-redis|refused|unexpected-answer|connection-cut|tls-needed)$/;

function expectGoodFailure(failure: unknown): void {
  expect(failure).toBeInstanceOf(Failure);
  if (!(failure instanceof Failure)) return;
  expect(failure.code).toMatch(KNOWN_CODES);
  expect(JSON.stringify(failure.report())).not.toContain(PASSWORD);
  // Whatever a server says, it must not steer the terminal that shows it.
  expect(failure.message).not.toMatch(/\p{Cc}/u);
}

const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 });
const payload = fc
  .array(fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.constantFrom("\r\n", "$5\r\n", MARK.slice(0, 39))), {
    maxLength: 8,
  })
  .map((parts) => Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array))))
  .filter((bytes) => !bytes.includes(MARK));
const newlines = fc.array(fc.constantFrom("\n", "\r\n"), { maxLength: 4 }).map((lines) => lines.join(""));

/** What a server may answer instead; the end of the connection follows what asks for more than was said. */
const codes = [
  "ERR",
  "NOPERM",
  "NOAUTH",
  "WRONGPASS",
  "LOADING",
  "BUSY",
  "NOMASTERLINK",
  "MASTERDOWN",
  "DENIED",
];
const words = fc.constantFrom(
  "unknown command 'PSYNC'",
  "Unrecognized REPLCONF option: rdb-only",
  "max number of clients reached",
  `unknown command, with args beginning with: 'taker' '${PASSWORD}'`,
  "\u001b[31mred",
  "x".repeat(500),
);
const wrong = fc.oneof(
  fc
    .tuple(fc.oneof(fc.constantFrom(...codes), fc.string()), fc.oneof(words, fc.string()))
    .map(([code, text]) => {
      return Buffer.from(`-${code} ${text}`.replaceAll(/[\r\n]/g, "?") + "\r\n");
    }),
  fc.oneof(words, fc.string()).map((text) => Buffer.from(bulk(text))),
  fc.string().map((text) => Buffer.from(`+${text.replaceAll(/[\r\n]/g, "?")}\r\n`)),
  fc
    .constantFrom("$-1\r\n", "*-1\r\n", "*0\r\n", ":42\r\n", "*2\r\n:1\r\n*1\r\n+x\r\n")
    .map((s) => Buffer.from(s)),
  fc
    .oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc
        .constantFrom(
          "HTTP/1.1 400 Bad Request\r\n\r\n",
          "\u0015\u0003\u0001\u0000\u0002\u0002F",
          "\u0015\u0003\u0003\u0000\u0002\u0002\n",
          "$99999999999\r\n",
          "$999999999\r\n",
          "*99999\r\n",
          `${"*1\r\n".repeat(50)}+x\r\n`,
          "$3\r\nabcde\r\n",
          "$10\r\nabc",
          "+FULLRESYNC x\r\n",
          `+FULLRESYNC ${ID} 99999999999999999999\r\n`,
          `+FULLRESYNC ${ID} 42\r\n-ERR BGSAVE failed, replication can't continue\r\n`,
          `+FULLRESYNC ${ID} 42\r\n$EOF:short\r\n`,
          `+FULLRESYNC ${ID} 42\r\n+${PASSWORD}\r\n`,
          `+CONTINUE ${PASSWORD}\r\n`,
        )
        .map((text) => Buffer.from(text)),
      fc.constant(Buffer.alloc(100_000, "x")),
    )
    .map((bytes) => Buffer.concat([Buffer.from(LAST), bytes])),
);

describe("a snapshot is asked for", () => {
  test("and arrives exactly, however the bytes are split and whatever newlines come before an answer", async () => {
    await fc.assert(
      fc.asyncProperty(payload, fc.boolean(), sizes, newlines, async (bytes, marked, split, before) => {
        const answer = (command: readonly string[]) =>
          Buffer.concat([Buffer.from(before), right(stepOf(command), bytes, marked)]);
        expect(await read({ answer, sizes: split })).toEqual({ bytes });
      }),
    );
  });

  test("and whatever is answered to any of its commands, the result is the payload or a failure that says why", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ bytes: payload, marked: fc.boolean(), split: sizes, before: newlines }),
        fc.constantFrom(...STEPS),
        wrong,
        async ({ bytes, marked, split, before }, step, instead) => {
          const isLast = instead.toString("latin1", 0, LAST.length) === LAST;
          const answer = (command: readonly string[]) => {
            if (stepOf(command) !== step)
              return Buffer.concat([Buffer.from(before), right(stepOf(command), bytes, marked)]);
            return isLast ? instead : Buffer.concat([Buffer.from(before), instead]);
          };
          // A leader that goes on saying nothing is another test's: here it hangs up after its last word.
          const outcome = await read({
            answer: once(answer),
            sizes: instead.length > 10_000 ? [4096] : split,
          });
          const mayBeRefused = step === "INFO" || step === "CONFIG";
          if (mayBeRefused && outcome.bytes !== undefined) expect(outcome.bytes).toEqual(bytes);
          else expectGoodFailure(outcome.failure);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("and an end of the connection after any byte is a failure, in order or not", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ bytes: payload, marked: fc.boolean(), split: sizes, reset: fc.boolean() }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        async ({ bytes, marked, split, reset }, share) => {
          const answer = (command: readonly string[]) => right(stepOf(command), bytes, marked);
          const all = STEPS.map((step) => right(step, bytes, marked).length).reduce((a, b) => a + b, 0);
          const outcome = await read({ answer, sizes: split, endAfter: Math.floor(share * all), reset });
          expect(outcome.bytes).toBeUndefined();
          expectGoodFailure(outcome.failure);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("and an abort while it connects is not missed", async () => {
    const abort = new AbortController();
    const { connect } = scripted({ answer: () => Buffer.alloc(0) });
    const aborting: typeof connect = (...args) => {
      abort.abort(new Error("told to stop"));
      return connect(...args);
    };
    const opening = openSnapshot(leader, { ...task, signal: abort.signal }, { connect: aborting });
    await expect(opening).rejects.toThrow("told to stop");
  });

  test("and an abort at any byte ends it with its reason", async () => {
    await fc.assert(
      fc.asyncProperty(payload, fc.boolean(), fc.nat(9), async (bytes, marked, after) => {
        const abort = new AbortController();
        const reason = new Error("told to stop");
        let left = after;
        const answer = (command: readonly string[]) => {
          if (left-- <= 0) abort.abort(reason);
          return right(stepOf(command), bytes, marked);
        };
        const outcome = await read({ answer, sizes: [7] }, abort.signal);
        if (after >= STEPS.length) expect(outcome).toEqual({ bytes });
        else expect(outcome.failure).toBe(reason);
      }),
    );
  });
});

/** After a `PSYNC` that went wrong nothing more comes. */
function once(answer: (command: readonly string[]) => Buffer): (command: readonly string[]) => Buffer {
  return (command) => {
    const said = answer(command);
    if (stepOf(command) !== "PSYNC" || said.toString("latin1", 0, LAST.length) === LAST) return said;
    return Buffer.concat([Buffer.from(LAST), said]);
  };
}

describe("the failure tells", () => {
  const failing = async (step: Step, answer: string) => {
    const { failure } = await read({
      answer: (command) =>
        stepOf(command) === step
          ? Buffer.from(LAST + answer)
          : right(stepOf(command), Buffer.from("x"), false),
    });
    return failure;
  };

  test.each([
    ["PSYNC", "-LOADING Redis is loading the dataset in memory", "leader-loading", true, ""],
    ["PSYNC", "-BUSY Redis is busy running a script.", "leader-busy", true, "SCRIPT KILL"],
    ["INFO", "-BUSY Redis is busy running a script.", "leader-busy", true, "SCRIPT KILL"],
    [
      "PSYNC",
      "-NOMASTERLINK Can't SYNC while not connected with my master",
      "leader-without-link",
      true,
      "promote it",
    ],
    ["PSYNC", "-MASTERDOWN Link with MASTER is down", "leader-without-link", true, "promote it"],
    ["AUTH", "-WRONGPASS invalid username-password pair", "wrong-password", false, "Check the password"],
    ["AUTH", "-ERR AUTH <password> called without any password configured", "wrong-password", false, "Leave"],
    ["INFO", "-NOAUTH Authentication required.", "password-needed", false, "password"],
    ["AUTH", "-ERR max number of clients reached", "too-many-clients", true, "limit"],
    ["AUTH", "-DENIED Redis is running in protected mode", "protected-mode", false, "password"],
    [
      "PSYNC",
      "-NOPERM this user has no permissions to run the 'psync' command",
      "not-permitted",
      false,
      "+psync",
    ],
    ["REPLCONF rdb-only", "-ERR Unrecognized REPLCONF option: rdb-only", "leader-too-old", false, "6.2"],
    [
      "PSYNC",
      "-ERR unknown command 'PSYNC', with args beginning with: '?'",
      "not-permitted",
      false,
      "provider",
    ],
    [
      "PSYNC",
      `+FULLRESYNC ${ID} 1\r\n-ERR BGSAVE failed, replication can't continue`,
      "no-snapshot",
      true,
      "log",
    ],
  ] as const)("what %s answered %s means: %s", async (step, answer, code, transient, hint) => {
    expect(await failing(step, `${answer}\r\n`)).toMatchObject({
      code,
      transient,
      hint: expect.stringContaining(hint),
      subject: "leader:6379",
    });
  });

  test("nothing of what a server repeats of a password, not even a part of it", async () => {
    const part = PASSWORD.slice(0, 8);
    const failure = await failing(
      "AUTH",
      `-ERR unknown command 'AUTH', with args beginning with: 'taker' '${part}`,
    );
    expect(failure).toMatchObject({ code: "leader-unreachable" });
    const whole = await failing(
      "AUTH",
      `-ERR unknown command 'AUTH', with args beginning with: 'taker' '${part}\r\n`,
    );
    expect(whole).toMatchObject({ code: "wrong-password", cause: "it refuses to log in" });
    expect(String(failure) + String(whole)).not.toContain(part);
  });
});
