import type { HeldData } from "../core/held-data";

/** INFO's answer: every field of every section under its name; `module`, which is told for each, has a line for each. */
export type Info = ReadonlyMap<string, string>;

export function parseInfo(text: string): Info {
  const info = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon <= 0 || line.startsWith("#")) continue;
    const [field, value] = [line.slice(0, colon), line.slice(colon + 1)];
    const before = field === "module" ? info.get(field) : undefined;
    info.set(field, before === undefined ? value : `${before}\n${value}`);
  }
  return info;
}

/** A field as a number; absent where the server doesn't tell it or tells no number. */
export function numberIn(info: Info, field: string): number | undefined {
  const text = info.get(field);
  if (text === undefined || text === "") return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** Whether a flag is `1`. */
export function isSet(info: Info, field: string): boolean {
  return info.get(field) === "1";
}

/** What stands in a field such as `keys=3,expires=0`. */
export function pairsIn(value: string): ReadonlyMap<string, string> {
  return new Map(
    value.split(",").map((pair) => {
      const equals = pair.indexOf("=");
      return [pair.slice(0, equals), pair.slice(equals + 1)] as const;
    }),
  );
}

/** Keys of each database that holds any. */
export function keysByDatabase(info: Info): Readonly<Record<number, number>> {
  const keys: Record<number, number> = {};
  for (const [field, value] of info) {
    const match = /^db(\d+)$/.exec(field);
    if (match !== null) keys[Number(match[1])] = Number(pairsIn(value).get("keys") ?? 0);
  }
  return keys;
}

/** The names of the modules that a server has loaded. */
export function modulesIn(info: Info): readonly string[] {
  const told = info.get("module")?.split("\n") ?? [];
  return told.map((module) => pairsIn(module).get("name") ?? module);
}

/** All that a leader's snapshot would replace. */
export function heldData(info: Info): HeldData {
  return { keys: totalKeys(info), libraries: numberIn(info, "number_of_libraries") ?? 0 };
}

export function totalKeys(info: Info): number {
  return Object.values(keysByDatabase(info)).reduce((sum, keys) => sum + keys, 0);
}
