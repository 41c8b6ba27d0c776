import type { Context } from "hono";
import type { Task } from "../core/task";
import type { ConsoleContext } from "./context";

/** What is looked up for one request, which ends with it. Long operations are activities instead. */
export function taskOf(c: Context, { clock, signal }: ConsoleContext): Task {
  return { clock, signal: AbortSignal.any([c.req.raw.signal, signal]), progress: () => undefined };
}
