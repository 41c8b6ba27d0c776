import { Failure } from "../core/errors";
import type { Platform } from "../platforms/contract";

/** Says what there is instead. */
export async function noSuchAddon(platform: Platform, name: string, hint: string): Promise<Failure> {
  const names = await platform.names();
  return new Failure({
    code: "no-such-addon",
    operation: "find the add-on",
    subject: name,
    cause:
      names.length === 0 ? "there is none at all in this data home" : `there are only ${names.join(", ")}`,
    hint,
  });
}
