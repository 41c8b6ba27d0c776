import { z } from "zod";
import { parseSlot } from "./slot";

/**
 * How far a backup was proved, worst last. `verified`: a scratch server loaded it both ways and everything agreed.
 * `structure-checked`: every byte is as the manifest says, but nothing here could load it. `damaged`: it must not be
 * relied on.
 */
export const VERIFICATION_OUTCOMES = ["verified", "structure-checked", "damaged"] as const;
export type VerificationOutcome = (typeof VERIFICATION_OUTCOMES)[number];

const CountSchema = z.number().int().nonnegative();

/** What one way of looking at a backup's data found. */
const CountsSchema = z.looseObject({
  keys: CountSchema,
  expires: CountSchema,
  /** By database number, as text; databases without keys are absent. Only a server that loaded the data tells them. */
  databases: z.record(z.string(), z.looseObject({ keys: CountSchema, expires: CountSchema })).optional(),
  /** Libraries of functions. */
  functions: CountSchema.optional(),
});
export type Counts = z.infer<typeof CountsSchema>;

/** The result of a verification, as it lies beside the manifest; a later one may replace it (`replaces`). Format 1. */
export const VerificationSchema = z.looseObject({
  format: z.literal(1),
  slot: z.string().refine((text) => parseSlot(text) !== undefined, "no slot: YYYYMMDDTHHMMSSmmmZ"),
  /** The archive that was looked at. */
  archive: z.string().min(1),
  outcome: z.enum(VERIFICATION_OUTCOMES),
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
  /** One sentence: what is damaged, or why it was not loaded; absent where it was verified. */
  why: z.string().optional(),
  /** Who loaded it. */
  server: z.looseObject({ name: z.enum(["redis", "valkey"]), version: z.string().min(1) }).optional(),
  counts: CountsSchema.optional(),
});
export type Verification = z.infer<typeof VerificationSchema>;

/** The name's ending says the outcome, so that a listing alone tells it. */
const ENDINGS: Readonly<Record<VerificationOutcome, string>> = {
  verified: ".verified.json",
  "structure-checked": ".checked.json",
  damaged: ".damaged.json",
};

export function verificationKey(catalogKey: string, slot: string, outcome: VerificationOutcome): string {
  return `${catalogKey}/${slot}${ENDINGS[outcome]}`;
}

/** What the ending of an object's name says; absent: it is no verification. */
export function outcomeOf(ending: string): VerificationOutcome | undefined {
  return VERIFICATION_OUTCOMES.find((outcome) => ENDINGS[outcome] === ending);
}

/** One way of looking at a backup's data, and what it found. */
export interface Looked {
  /** For messages: `redis-server`, `redis-server ./redis.conf`. */
  readonly how: string;
  readonly counts: Counts;
}

/** In what two ways disagree, as one sentence; absent: in nothing that both tell. */
export function disagreement(one: Looked, other: Looked): string | undefined {
  const says = (what: string, a: number, b: number) =>
    a === b ? undefined : `${one.how} finds ${a} ${what}, ${other.how} ${b}`;
  const [a, b] = [one.counts, other.counts];
  const totals =
    says("keys", a.keys, b.keys) ??
    says("keys that expire", a.expires, b.expires) ??
    (a.functions === undefined || b.functions === undefined
      ? undefined
      : says("libraries of functions", a.functions, b.functions));
  if (totals !== undefined || a.databases === undefined || b.databases === undefined) return totals;
  for (const database of new Set([...Object.keys(a.databases), ...Object.keys(b.databases)])) {
    const none = { keys: 0, expires: 0 };
    const [left, right] = [a.databases[database] ?? none, b.databases[database] ?? none];
    const found =
      says(`keys in database ${database}`, left.keys, right.keys) ??
      says(`keys that expire in database ${database}`, left.expires, right.expires);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Whether a new result takes the place of earlier ones, of which the worst counts. A look at the bytes alone proves
 * and refutes nothing: an archive never changes, so what an earlier, deeper look found about it still holds.
 */
export function replaces(found: VerificationOutcome, earlier: VerificationOutcome | undefined): boolean {
  return found !== "structure-checked" || earlier === undefined || earlier === "structure-checked";
}

/** How an outcome reads in a sentence. */
export const VERIFICATION_WORDS: Readonly<Record<VerificationOutcome, string>> = {
  verified: "verified",
  "structure-checked": "structure checked",
  damaged: "DAMAGED",
};
