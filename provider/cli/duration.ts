import { InvalidArgumentError } from "commander";

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/** `500ms`, `10s`, `2m`, in milliseconds; for an option's value. */
export function parseDuration(text: string): number {
  const match = /^(\d+)(ms|s|m)$/.exec(text);
  const ms = Number(match?.[1] ?? 0) * (UNITS_MS[match?.[2] ?? ""] ?? 0);
  if (ms < 1 || !Number.isSafeInteger(ms)) throw new InvalidArgumentError("write it as 500ms, 10s or 2m");
  return ms;
}

/** The same for a person: `10 s`, `250 ms`. */
export function durationText(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`;
}
