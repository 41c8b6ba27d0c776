import { Failure } from "../core/errors";

const PART = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** The two parts of a key, checked: a key must never lead out of its store, nor into a temporary's name. */
export function splitKey(
  key: string,
  operation: string,
  storeUrl: string,
): { readonly folder: string; readonly file: string } {
  const [folder, file, ...more] = key.split("/");
  if (folder === undefined || file === undefined || more.length > 0 || !PART.test(folder) || !PART.test(file))
    throw new Failure({
      code: "invalid-key",
      operation,
      subject: `${key} in ${storeUrl}`,
      cause: "a key is <addon>/<file>, of letters, digits, dots, underscores and hyphens",
    });
  return { folder, file };
}
