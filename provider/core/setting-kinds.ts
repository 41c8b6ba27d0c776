import { keyspaceEvents } from "./keyspace-events";
import { parseMemory } from "./memory-size";

/** A value outside the bounds, and what it stands for. */
export interface SpecialValue {
  readonly value: number;
  readonly means: string;
}

/** What a setting takes. Bounds are ours: every supported server takes them, and most take more. */
export type SettingKind =
  | { readonly kind: "switch" }
  | {
      readonly kind: "number";
      readonly least: number;
      readonly most: number;
      /** `seconds`; absent: a count. */
      readonly unit?: string;
      readonly special?: SpecialValue;
    }
  | {
      readonly kind: "memory";
      readonly leastBytes: number;
      readonly mostBytes: number;
      /** Of maxmemory, where the setting takes that too: `5%`. */
      readonly percent?: { readonly least: number; readonly most: number };
      readonly special?: SpecialValue;
    }
  | { readonly kind: "keyspace-events" };

/** A given value in the spelling that CONFIG GET answers with; absent where it is none of this kind. */
export function settingValue(kind: SettingKind, given: unknown): string | undefined {
  switch (kind.kind) {
    case "switch":
      return switchValue(given);
    case "number": {
      const value = wholeNumber(given);
      return within(value, kind.least, kind.most) || isSpecial(kind, value) ? String(value) : undefined;
    }
    case "memory":
      return memoryValue(kind, given);
    case "keyspace-events":
      return typeof given === "string" ? keyspaceEvents(given) : undefined;
  }
}

/** What to write, for messages: `write a whole number from 1 to 500`. */
export function howToWrite(kind: SettingKind): string {
  switch (kind.kind) {
    case "switch":
      return 'write true or false; "yes" and "no" will do';
    case "number":
      return `write a whole number${kind.unit === undefined ? "" : ` of ${kind.unit}`} from ${kind.least} to ${kind.most}${orSpecial(kind)}`;
    case "memory": {
      const { leastBytes, mostBytes, percent } = kind;
      const share =
        percent === undefined ? "" : `, a share of the memory from "${percent.least}%" to "${percent.most}%"`;
      return `write a size from "${memorySpelling(leastBytes)}" to "${memorySpelling(mostBytes)}" (kb, mb and gb count by 1024, a number alone is bytes)${share}${orSpecial(kind)}`;
    }
    case "keyspace-events":
      return 'write K, E or both, for channels by key or by event, and what to tell: A for all but m and n, or some of g$lshzxetdmn; "" for nothing';
  }
}

/** The same for a table: `1 to 500`, `yes or no`. */
export function boundsText(kind: SettingKind): string {
  switch (kind.kind) {
    case "switch":
      return "yes or no";
    case "number":
      return `${kind.least} to ${kind.most}${kind.unit === undefined ? "" : ` ${kind.unit}`}${specialText(kind)}`;
    case "memory": {
      const { leastBytes, mostBytes, percent } = kind;
      const share = percent === undefined ? "" : `, or ${percent.least}% to ${percent.most}% of the plan's`;
      return `${memorySpelling(leastBytes)} to ${memorySpelling(mostBytes)}${share}${specialText(kind)}`;
    }
    case "keyspace-events":
      return "K, E or both, with A or some of g$lshzxetdmn";
  }
}

/** As redis.conf spells it, in the largest unit that leaves a whole number. */
export function memorySpelling(bytes: number): string {
  if (bytes === 0) return "0";
  const units = [
    ["gb", 1024 ** 3],
    ["mb", 1024 ** 2],
    ["kb", 1024],
  ] as const;
  const [unit, size] = units.find(([, size]) => bytes % size === 0) ?? ["b", 1];
  return `${bytes / size}${unit}`;
}

function switchValue(given: unknown): string | undefined {
  if (typeof given !== "boolean" && typeof given !== "string") return undefined;
  const text = String(given).toLowerCase();
  if (text === "yes" || text === "true") return "yes";
  return text === "no" || text === "false" ? "no" : undefined;
}

function wholeNumber(given: unknown): number | undefined {
  if (typeof given === "string" && !/^-?\d+$/.test(given)) return undefined;
  if (typeof given !== "string" && typeof given !== "number") return undefined;
  // Without a negative zero, which reads as 0 and prints as one too.
  const value = Number(given) + 0;
  return Number.isSafeInteger(value) ? value : undefined;
}

function memoryValue(kind: SettingKind & { kind: "memory" }, given: unknown): string | undefined {
  if (typeof given !== "string" && typeof given !== "number") return undefined;
  const share = /^(\d+)%$/.exec(String(given));
  if (share !== null && kind.percent !== undefined) {
    const percent = Number(share[1]);
    return within(percent, kind.percent.least, kind.percent.most) ? `${percent}%` : undefined;
  }
  const bytes = parseMemory(String(given));
  return within(bytes, kind.leastBytes, kind.mostBytes) || isSpecial(kind, bytes) ? String(bytes) : undefined;
}

function within(value: number | undefined, least: number, most: number): value is number {
  return value !== undefined && value >= least && value <= most;
}

function isSpecial({ special }: { readonly special?: SpecialValue }, value: number | undefined): boolean {
  return special !== undefined && special.value === value;
}

function orSpecial({ special }: { readonly special?: SpecialValue }): string {
  return special === undefined ? "" : `, or ${special.value}: ${special.means}`;
}

function specialText({ special }: { readonly special?: SpecialValue }): string {
  return special === undefined ? "" : `; ${special.value}: ${special.means}`;
}
