import type { Failure } from "../../core/errors";
import type { Retry } from "../retry";

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
    try {
      return await retry(() => request({ abortSignal: signal }), signal);
    } catch (error) {
      signal.throwIfAborted();
      throw explain(error, about);
    }
  };
}
