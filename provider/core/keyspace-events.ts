/** The classes that `A` stands for, in Redis's order; `d` are the events of modules. */
const CLASSES = Array.from("g$lshzxetd");
/** Where the events go, and `m` (keys that were asked for in vain), which `A` leaves out; in Redis's order. */
const REST = Array.from("KEm");
/** Keys that are new; `A` leaves them out. */
const NEW = "n";
const KNOWN = new Set(["A", ...CLASSES, NEW, ...REST]);

/**
 * The characters of notify-keyspace-events in the order in which a server itself answers; absent where they are none
 * or would deliver nothing. Empty: no events.
 *
 * A server that has `n` beside all that `A` stands for answers `A` alone, and nobody could tell whether `n` is on: the
 * classes are then named one by one, without the events of modules, which no add-on loads.
 */
export function keyspaceEvents(text: string): string | undefined {
  const given = new Set(text);
  if ([...given].some((character) => !KNOWN.has(character))) return undefined;
  if (given.size === 0) return "";
  if (!given.has("K") && !given.has("E")) return undefined;
  const isAll = given.has("A") || CLASSES.every((name) => given.has(name));
  const rest = REST.filter((character) => given.has(character)).join("");
  if (isAll && !given.has(NEW)) return `A${rest}`;
  const named = isAll ? CLASSES.filter((name) => name !== "d") : CLASSES.filter((name) => given.has(name));
  const classes = [...named, ...(given.has(NEW) ? [NEW] : [])].join("");
  return classes === "" && !given.has("m") ? undefined : `${classes}${rest}`;
}
