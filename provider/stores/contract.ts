import type { Readable } from "node:stream";
import type { Failure } from "../core/errors";

/** One stored object, as a listing tells it. */
export interface StoredObject {
  /** The name within the store, without the store's prefix; `<addon>/<file>`, flat within the add-on. */
  readonly key: string;
  readonly sizeBytes: number;
  /** Milliseconds since the Unix epoch. */
  readonly modifiedAt: number;
}

export interface PutOptions {
  /** Fail with `already-exists` instead of overwriting. Only where the store guarantees it can two writers rely on it. */
  readonly ifAbsent?: boolean;
  /** About how many bytes will come, where that is known: a store that takes parts chooses their size by it. */
  readonly estimateBytes?: number;
  readonly signal: AbortSignal;
}

/** What a place can be relied on for. */
export interface Guarantees {
  /** Of any number of writers that want one absent key, exactly one succeeds. */
  readonly ifAbsent: boolean;
}

/** An object that could not be removed. */
export interface NotRemoved {
  readonly key: string;
  readonly failure: Failure;
}

/**
 * A place that keeps backups. Every driver keeps these rules, and one suite tests them all:
 *
 * - A key is two parts, `<addon>/<file>`, each of letters, digits and `.`, `_`, `-`, not beginning with a dot; any
 *   other is refused with a Failure `invalid-key`.
 * - `put` is whole or not at all: a reader sees the old object or the new one, never a part; a source that fails or is
 *   aborted leaves nothing visible and no leftover that a listing would show. The source is consumed or destroyed.
 * - `put` with `ifAbsent` on a key that exists throws a Failure with code `already-exists` and changes nothing; among
 *   any number at once exactly one succeeds, where `guarantees` says so; elsewhere a key that was seen to exist is refused.
 * - `get` of a missing key throws a Failure with code `not-found`; the stream fails rather than end early.
 * - `list` returns every object whose key begins with the prefix, in key order; a prefix nobody wrote to is empty.
 *   `parts` gives the same part by part, in no particular order: whoever looks at hundreds of thousands need not hold them
 *   all. `keysBetween` returns the keys alone that come after one bound and before the other, in key order; the bounds
 *   lie in one folder and need not be keys themselves.
 * - `delete` of a missing key is success.
 * - `deleteMany` removes any number of objects in no particular order, each as `delete` does, and returns those that it
 *   could not remove: all others are gone for good once it returns. It fails where the store can't be asked at all.
 * - `time` tells the store's own clock for what is written to a folder, in milliseconds since the Unix epoch; -Infinity
 *   where that can't be told. It may write and remove an object that no listing shows.
 * - `sweep` removes what interrupted puts left in a folder and no listing shows, once nothing can still be writing it,
 *   and returns how many; what it may not look at or remove it leaves.
 * - Errors are Failures; their subject is the store's URL without credentials, and the key. Two pass unchanged: what
 *   the source failed with, and the signal's reason once that is aborted.
 */
export interface Store {
  /** For messages: never holds credentials. */
  readonly url: string;
  /** Found out by trying where that is the only way, then remembered: the first call may write and remove an object. */
  guarantees(signal: AbortSignal): Promise<Guarantees>;
  put(key: string, source: Readable, options: PutOptions): Promise<{ sizeBytes: number }>;
  get(key: string, signal: AbortSignal): Promise<Readable>;
  list(prefix: string, signal: AbortSignal): Promise<StoredObject[]>;
  parts(prefix: string, signal: AbortSignal): AsyncIterable<readonly StoredObject[]>;
  keysBetween(after: string, before: string, signal: AbortSignal): Promise<string[]>;
  delete(key: string, signal: AbortSignal): Promise<void>;
  deleteMany(keys: readonly string[], signal: AbortSignal): Promise<readonly NotRemoved[]>;
  time(folder: string, signal: AbortSignal): Promise<number>;
  sweep(folder: string, signal: AbortSignal): Promise<number>;
}
