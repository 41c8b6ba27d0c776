/**
 * A slot is an instant in milliseconds since the Unix epoch; in names it is spelt `YYYYMMDDTHHMMSSmmmZ`, UTC, always
 * with milliseconds, so that names sort as the instants do.
 */
export const SLOT_LENGTH = 19;
/** After so many years the calendar repeats itself, to the day of the week. */
const CYCLE_YEARS = 400;
const CYCLE_MS = 146_097 * 24 * 60 * 60_000;
const DIGIT_0 = 0x30;

export function formatSlot(slot: number): string {
  const iso = new Date(slot).toISOString();
  // Years outside 0000–9999 have a sign and six digits, which would not sort.
  if (iso.length !== 24) throw new RangeError(`${slot} is not an instant of the years 0000 to 9999`);
  // `replace` would leave it in pieces, in five times the memory, and there may be hundreds of thousands.
  return iso.split(/[-:.]/).join("");
}

/**
 * The instant, or undefined for anything that `formatSlot` does not write. Digit by digit, as a listing asks it of
 * hundreds of thousands of names.
 */
export function parseSlot(text: string): number | undefined {
  if (text.length !== SLOT_LENGTH || text[8] !== "T" || text[18] !== "Z") return undefined;
  const year = digits(text, 0, 4);
  const month = digits(text, 4, 6);
  const day = digits(text, 6, 8);
  const [hour, minute, second] = [digits(text, 9, 11), digits(text, 11, 13), digits(text, 13, 15)];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const ms = digits(text, 15, 18);
  // Years below 100 it would take for those of a century that is over.
  const instant = Date.UTC(year + CYCLE_YEARS, month - 1, day, hour, minute, second, ms) - CYCLE_MS;
  const date = new Date(instant);
  // 30 February becomes another day; that is no spelling of one. What holds other characters than digits is no date.
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? instant : undefined;
}

/** NaN where there is anything else. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - DIGIT_0;
    if (digit < 0 || digit > 9) return NaN;
    value = 10 * value + digit;
  }
  return value;
}
