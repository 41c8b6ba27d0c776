import type { z } from "zod";
import { Failure } from "../core/errors";
import type { Store } from "../stores/contract";

/** What we write is some kilobytes. Others may write to the store as well, and must not fill our memory. */
const MOST_BYTES = 1024 * 1024;

/** The text of a small object; undefined for one above 1 MiB, which none of ours is. */
export async function readSmall(store: Store, key: string, signal: AbortSignal): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of (await store.get(key, signal)) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MOST_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What lies beside a backup; undefined where there is nothing, or nothing that this version can read. */
export async function readBeside<T>(
  store: Store,
  key: string,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return schema.safeParse(parseJson(await readSmall(store, key, signal))).data;
  } catch (error) {
    if (error instanceof Failure && error.code === "not-found") return undefined;
    throw error;
  }
}

/** Undefined, which no JSON is, for what is none. */
export function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
