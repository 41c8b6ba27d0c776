/**
 * A slot is an instant in milliseconds since the Unix epoch; in names it is spelt `YYYYMMDDTHHMMSSmmmZ`, UTC, always
 * with milliseconds, so that names sort as the instants do.
 */
export const SLOT_LENGTH = 19;
const SPELLING = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/;

export function formatSlot(slot: number): string {
  const iso = new Date(slot).toISOString();
  // Years outside 0000–9999 have a sign and six digits, which would not sort.
  if (iso.length !== 24) throw new RangeError(`${slot} is not an instant of the years 0000 to 9999`);
  return iso.replace(/[-:.]/g, "");
}

/** The instant, or undefined for anything that `formatSlot` does not write. */
export function parseSlot(text: string): number | undefined {
  const parts = SPELLING.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second, ms] = parts;
  const instant = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
  // Date.parse turns 24:00 and 30 February into other instants; those are no spelling of one.
  return Number.isNaN(instant) || formatSlot(instant) !== text ? undefined : instant;
}
