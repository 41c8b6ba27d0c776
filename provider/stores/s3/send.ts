import type { Failure } from "../../core/errors";
import type { Retry } from "../retry";
import { NotAnAnswer } from "./answers";
import { readS3Error } from "./transient";

/** One request, for messages. */
export interface About {
  /** As failures spell it: `write`. */
  readonly operation: string;
  /** The object's URL, or the store's. */
  readonly subject: string;
  /** What a policy has to allow: `s3:PutObject`. */
  readonly action: string;
}

/** A request that is made anew at each attempt. */
type Request<T> = (options: { readonly abortSignal: AbortSignal }) => Promise<T>;

/** Every request to the store goes through one of these. Fails with a Failure, or with the signal's reason. */
export type Send = <T>(about: About, request: Request<T>, signal: AbortSignal) => Promise<T>;

/** Tries again what is transient, then says in a person's words what is wrong. */
export function sending(retry: Retry, explain: (error: unknown, about: About) => Failure): Send {
  return async (about, request, signal) => {
    const answered = () => request({ abortSignal: signal }).catch(refuseStrange404);
    try {
      return await retry(answered, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw explain(error, about);
    }
  };
}

/**
 * S3 names what is missing, NoSuchKey. A 404 that doesn't is of a proxy or of a server that is being replaced: taken at
 * its word a backup would look gone. To HEAD alone S3 answers without a name; that request looks at the status itself.
 */
function refuseStrange404(error: unknown): never {
  const { name, status } = readS3Error(error);
  throw status === 404 && !name.startsWith("NoSuch")
    ? new NotAnAnswer("the name of what is missing", "a 404")
    : error;
}
