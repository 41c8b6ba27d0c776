import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  type DeleteObjectsCommandOutput,
} from "@aws-sdk/client-s3";
import { asFailure, Failure } from "../../core/errors";
import type { NotRemoved } from "../contract";
import { explain } from "./explain";
import { hasCode, locate, type Session } from "./session";
import { isTransient } from "./transient";

/** S3's own limit. */
const MOST_KEYS = 1000;
/** While one such request is answered the next one is on its way; more at once only make a store ask to slow down. */
const BULK_AT_ONCE = 2;
/** One by one, where that is the only way: several at once take the time of one. */
const AT_ONCE = 8;
const ACTION = "s3:DeleteObject";

/** S3 answers a missing key with success; some that speak its language say that it is missing. */
export async function remove(session: Session, key: string, signal: AbortSignal): Promise<void> {
  const about = { operation: "remove", subject: `${session.url}/${key}`, action: ACTION };
  try {
    await session.send(
      about,
      (options) => session.clients.usual.send(new DeleteObjectCommand(locate(session, key)), options),
      signal,
    );
  } catch (error) {
    if (!hasCode(error, "not-found")) throw error;
  }
}

/**
 * Removes objects by as few requests as S3 permits. A store that refuses such requests (not all know them, and some
 * want a header that the SDK no longer sends) is asked for one after the other from then on.
 */
export function removing(
  session: Session,
): (keys: readonly string[], signal: AbortSignal) => Promise<NotRemoved[]> {
  let inBulk = true;
  return async (keys, signal) => {
    signal.throwIfAborted();
    const failed: NotRemoved[] = [];
    const parts = partsOf(keys).values();
    let hasFailed = false;
    const worker = async (): Promise<void> => {
      for (const some of parts) {
        if (hasFailed) return;
        try {
          const outcome = inBulk ? await bulk(session, some, signal) : undefined;
          failed.push(...(outcome?.failed ?? []));
          failed.push(...(await singly(session, outcome?.open ?? some, signal)));
          // It did one by one what it would not do at once.
          if (outcome === undefined) inBulk = false;
        } catch (error) {
          hasFailed = true;
          throw error;
        }
      }
    };
    await allEnded(Array.from({ length: BULK_AT_ONCE }, worker));
    return failed;
  };
}

function partsOf(keys: readonly string[]): string[][] {
  const parts: string[][] = [];
  for (let from = 0; from < keys.length; from += MOST_KEYS) parts.push(keys.slice(from, from + MOST_KEYS));
  return parts;
}

/** Nothing goes on behind the back of whoever is told that it failed. */
async function allEnded(works: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(works)).find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** What became of them; `open` are those that have to be asked for again. Undefined: the store would not hear of it. */
async function bulk(
  session: Session,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly failed: readonly NotRemoved[]; readonly open: readonly string[] } | undefined> {
  const { send, clients, destination, url } = session;
  const about = { operation: "remove objects of", subject: url, action: ACTION };
  const Objects = keys.map((key) => ({ Key: locate(session, key).Key }));
  try {
    const answer = await send(
      about,
      (options) =>
        clients.usual.send(
          new DeleteObjectsCommand({ Bucket: destination.bucket, Delete: { Objects, Quiet: false } }),
          options,
        ),
      signal,
    );
    return outcomeOf(session, keys, answer);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Failure && error.transient) throw error;
    return undefined;
  }
}

/** Whatever the answer doesn't tell of, as one that was cut short, counts as not done. */
function outcomeOf(
  { destination, root, url }: Session,
  keys: readonly string[],
  { Deleted = [], Errors = [] }: DeleteObjectsCommandOutput,
) {
  const removed = new Set(Deleted.map(({ Key }) => Key));
  const failed = new Map<string, Failure>();
  for (const { Key = "", Code = "", Message = "" } of Errors) {
    const error = { name: Code, message: Message };
    const about = { operation: "remove", subject: `${url}/${Key.slice(root.length)}`, action: ACTION };
    if (Code === "NoSuchKey") removed.add(Key);
    else if (!isTransient(error)) failed.set(Key, explain(error, about, destination));
  }
  return {
    failed: keys.flatMap((key) => {
      const failure = failed.get(root + key);
      return failure === undefined ? [] : [{ key, failure }];
    }),
    open: keys.filter((key) => !removed.has(root + key) && !failed.has(root + key)),
  };
}

/** Fails where the store can't be asked: all the others would fail as well, each after minutes of attempts. */
async function singly(session: Session, keys: readonly string[], signal: AbortSignal): Promise<NotRemoved[]> {
  const failed: NotRemoved[] = [];
  const entries = keys.values();
  let hasFailed = false;
  const worker = async () => {
    for (const key of entries) {
      if (hasFailed) return;
      try {
        await remove(session, key, signal);
      } catch (error) {
        hasFailed = signal.aborted || !(error instanceof Failure) || error.transient;
        if (hasFailed) throw error;
        failed.push({ key, failure: asFailure(error, "remove", `${session.url}/${key}`) });
      }
    }
  };
  await allEnded(Array.from({ length: AT_ONCE }, worker));
  return failed;
}
