import type { Ending } from "./watched-process";

/**
 * Why a server ended instead of loading a backup. `damaged`: for what it read. `unable`: this server can't load these
 * data, another may. `no-memory`: so could none of them here and now. `failed`: for a reason that has nothing to do
 * with the data.
 */
export interface Refusal {
  readonly kind: "damaged" | "unable" | "no-memory" | "failed";
  /** One sentence without a full stop. */
  readonly why: string;
}

// Redis's and Valkey's own words; the first kind that has one of them wins.
const SAID: readonly (readonly [Refusal["kind"], RegExp])[] = [
  ["no-memory", /Out Of Memory|failed allocating|Cannot allocate memory/i],
  [
    "unable",
    /Can't handle RDB format|module data|module type|more than \d+ databases|(?:creating|loading)[^.]* (?:library|function)/i,
  ],
  [
    "failed",
    /Permission denied|No space left|Input\/output error|Too many open files|Read-only file system/i,
  ],
  [
    "damaged",
    /RDB checksum|Internal error in RDB|signature|Short read|Unexpected EOF|reading the (?:RDB|append only file)|AOF manifest|Unable to obtain the AOF file|AOF file .* doesn't exist|Unrecoverable error|corrupt|Fatal error loading/i,
  ],
];

const SIGKILL = 9;

export function whyNotLoaded(ending: Ending, output: string): Refusal {
  const warnings = warningsIn(output);
  for (const [kind, words] of SAID) {
    const line = warnings.find((warning) => words.test(warning));
    if (line !== undefined && ("code" in ending ? ending.code === 1 : kind === "no-memory"))
      return { kind, why: `it says "${line}"` };
  }
  if ("signal" in ending)
    return ending.signal === SIGKILL
      ? { kind: "no-memory", why: "it was killed while it loaded them, probably for want of memory" }
      : { kind: "unable", why: `it ended with signal ${ending.signal} while it loaded them` };
  const last = warnings.at(-1) ?? lastLine(output);
  return { kind: "failed", why: `it ended with code ${ending.code}${last === "" ? "" : `: ${last}`}` };
}

const LONGEST_QUOTE = 200;

/** What its log warns of, `1234:S 22 Nov 2026 20:04:24.260 # …`: the other lines may quote keys and values. */
function warningsIn(output: string): string[] {
  return [...output.matchAll(/^\d+:[A-Z] .{10,40}? # (.+)$/gm)].map(([, text = ""]) =>
    text.slice(0, LONGEST_QUOTE),
  );
}

function lastLine(output: string): string {
  return (output.trimEnd().split("\n").at(-1) ?? "").slice(0, LONGEST_QUOTE);
}
