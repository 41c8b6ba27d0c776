import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { Failure } from "../../core/errors";
import type { Clock } from "../../core/task";
import type { ConditionalWrites } from "./conditional";
import type { About } from "./send";
import { hasCode, locate, type Session } from "./session";
import { readS3Error } from "./transient";

/** Metadata by which a put knows its own object again; unique to each. */
export const TOKEN = "redis-addon-put";
/** How long a request may go on once its put is aborted. */
const GRACE_MS = 5000;

export interface Commit {
  readonly key: string;
  readonly about: About;
  readonly token: string;
  /** What the store does with conditions; absent: the object may be replaced. */
  readonly ifAbsent: ConditionalWrites | undefined;
}

/** The request that makes an object visible. */
export type Decide = (condition: { readonly IfNoneMatch?: "*" }, signal: AbortSignal) => Promise<void>;

/**
 * Performs the request that makes an object visible. Its answer may be lost after it did its work, and trying it again
 * then says that the object exists, or that there is no such upload: the object's token tells whether it is this one.
 */
export async function commit(
  session: Session,
  { key, about, token, ifAbsent }: Commit,
  decide: Decide,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const isDoubtful = ifAbsent !== undefined && ifAbsent !== "kept";
  if (isDoubtful && (await look(session, key, about, signal)) !== undefined) throw alreadyExists(about);
  const condition = ifAbsent === undefined || ifAbsent === "refused" ? {} : ({ IfNoneMatch: "*" } as const);
  await withGrace(session.clock, signal, async (late) => {
    try {
      await decide(condition, late);
    } catch (error) {
      if (!hasCode(error, "already-exists", "no-such-upload", "conflict")) throw error;
      const found = await look(session, key, about, late).catch((unseen: unknown) => {
        throw hasCode(unseen, "forbidden") ? error : unseen;
      });
      if (found?.token !== token) throw error;
    }
  });
}

/** What lies under a key; absent: nothing. */
async function look(session: Session, key: string, { subject }: About, signal: AbortSignal) {
  const { send, clients } = session;
  const about = { operation: "write", subject, action: "s3:GetObject" };
  const request = async (options: { readonly abortSignal: AbortSignal }) => {
    try {
      const { Metadata } = await clients.usual.send(new HeadObjectCommand(locate(session, key)), options);
      return { token: Metadata?.[TOKEN] };
    } catch (error) {
      // An answer to HEAD has no body that could name what is missing.
      if (readS3Error(error).status === 404) return undefined;
      throw error;
    }
  };
  return send(about, request, signal);
}

/** Cut off half-way a request's outcome would be unknown: it may finish, for a moment. */
export async function withGrace<T>(
  clock: Clock,
  signal: AbortSignal,
  work: (late: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const done = new AbortController();
  const onAbort = () =>
    void clock.sleep(GRACE_MS, done.signal).then(
      () => late.abort(signal.reason),
      () => undefined,
    );
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await work(late.signal);
  } finally {
    signal.removeEventListener("abort", onAbort);
    done.abort();
  }
}

function alreadyExists({ operation, subject }: About): Failure {
  return new Failure({ code: "already-exists", operation, subject, cause: "it exists already" });
}
