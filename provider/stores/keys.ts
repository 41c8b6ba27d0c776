import { Failure } from "../core/errors";

const PART = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** Whether `<folder>/<file>` is what a store of ours may hold an object under. */
export function isKey(key: string): boolean {
  const parts = key.split("/");
  return parts.length === 2 && parts.every((part) => PART.test(part));
}

/** The two parts of a key, checked: a key must never lead out of its store, nor into a temporary's name. */
export function splitKey(
  key: string,
  operation: string,
  storeUrl: string,
): { readonly folder: string; readonly file: string } {
  const [folder = "", file = ""] = key.split("/");
  if (!isKey(key))
    throw new Failure({
      code: "invalid-key",
      operation,
      subject: `${key} in ${storeUrl}`,
      cause: "a key is <addon>/<file>, of letters, digits, dots, underscores and hyphens",
    });
  return { folder, file };
}

/** The order of a listing. */
export function byKey(a: { readonly key: string }, b: { readonly key: string }): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}
