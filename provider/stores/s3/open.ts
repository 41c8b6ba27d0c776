import type { S3Destination } from "../../core/s3-destination";
import type { Store } from "../contract";
import { splitKey } from "../keys";
import { conditionalWrites } from "./conditional";
import { remove, removing } from "./delete";
import { get } from "./get";
import { keysBetween, list, listParts } from "./list";
import { openSession, type S3StoreOptions } from "./open-session";
import { put } from "./put";
import { timeOfStore } from "./session";
import { sweep } from "./sweep";

/** A bucket, or what lies below a prefix of it, as a store. Nothing is asked of it yet. */
export async function openS3Store(destination: S3Destination, options: S3StoreOptions = {}): Promise<Store> {
  const session = await openSession(destination, options);
  const { url } = session;
  const conditional = conditionalWrites(session);
  const removeMany = removing(session);
  const checked = (key: string, operation: string) => void splitKey(key, operation, url);
  return {
    url,
    guarantees: async (signal) => ({ ifAbsent: (await conditional(signal)) === "kept" }),
    async put(key, source, options) {
      checked(key, "write");
      return put(session, conditional, key, source, options);
    },
    async get(key, signal) {
      checked(key, "read");
      return get(session, key, signal);
    },
    list: (prefix, signal) => list(session, prefix, signal),
    parts: (prefix, signal) => listParts(session, prefix, signal),
    keysBetween: (after, before, signal) => keysBetween(session, after, before, signal),
    async delete(key, signal) {
      checked(key, "remove");
      await remove(session, key, signal);
    },
    async deleteMany(keys, signal) {
      for (const key of keys) checked(key, "remove");
      return removeMany(keys, signal);
    },
    async time(_folder, signal) {
      signal.throwIfAborted();
      return timeOfStore(session);
    },
    sweep: (folder, signal) => sweep(session, folder, signal),
  };
}
