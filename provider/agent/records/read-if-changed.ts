import { stat } from "node:fs/promises";

/** Of the files that are remembered; those of add-ons that are gone are among them. */
const MOST = 10_000;

interface Read<Value> {
  readonly stamp: string;
  readonly value: Value;
}

/**
 * Reads a file of each add-on, which is looked at every few seconds, anew only where it has been replaced: opening,
 * reading and checking hundreds of them again and again would keep the agent busy for nothing. For files that are
 * replaced by rename alone.
 */
export function readIfChanged<Value>(
  pathOf: (name: string) => string,
  read: (name: string) => Promise<Value>,
): (name: string) => Promise<Value> {
  const known = new Map<string, Read<Value>>();
  return async (name) => {
    // Looked at before it is read: one that is replaced in between is read once more the next time.
    const stamp = await stampOf(pathOf(name));
    const present = known.get(name);
    if (present !== undefined && present.stamp === stamp) return present.value;
    known.delete(name);
    const value = await read(name);
    if (known.size >= MOST) known.clear();
    if (stamp !== undefined) known.set(name, { stamp, value });
    return value;
  };
}

/** Another one after each replacement; absent: there is no such file, or it can't be looked at. */
async function stampOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found && [found.ino, found.ctimeNs, found.mtimeNs, found.size].join();
}
