import type { Platform } from "../../platforms/contract";

/**
 * A platform of which everything recorded is read once: who follows whom is a question to all records, asked for each
 * add-on that is looked at.
 */
export function readOnce(platform: Platform): Platform {
  const names = once(() => platform.names());
  return {
    ...platform,
    names: () => names(""),
    load: once((name) => platform.load(name)),
    placement: once((name) => platform.placement(name)),
  };
}

function once<Result>(read: (name: string) => Promise<Result>): (name: string) => Promise<Result> {
  const known = new Map<string, Promise<Result>>();
  return (name) => {
    const found = known.get(name) ?? read(name);
    known.set(name, found);
    return found;
  };
}
