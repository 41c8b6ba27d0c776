const UNITS_MS = { days: 24 * 3_600_000, h: 3_600_000, min: 60_000, s: 1_000 } as const;

/** How long ago something was, for a person: `12 s`, `5 min`, `40 h`, `3 days`. What lies in the future is `0 s` old. */
export function ageText(ms: number): string {
  // Two days are the first that say more than their hours.
  const fits = (unit: keyof typeof UNITS_MS) => ms >= UNITS_MS[unit] * (unit === "days" ? 2 : 1);
  const unit = (["days", "h", "min"] as const).find(fits) ?? "s";
  return `${Math.floor(Math.max(0, ms) / UNITS_MS[unit])} ${unit}`;
}
