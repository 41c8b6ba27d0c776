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

/** The result of a verification, as it lies beside the manifest; the newest replaces an earlier one. Format 1. */
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
