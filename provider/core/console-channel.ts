import { z } from "zod";

/** What the agent asks of the console that it keeps running. */
export const ToConsoleSchema = z.object({ kind: z.literal("login"), call: z.number().int() });
export type ToConsole = z.infer<typeof ToConsoleSchema>;

/** What the console tells the agent. */
export const FromConsoleSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("listening"), origin: z.string() }),
  /** Why it can't be served, a clause; the last message. */
  z.object({ kind: z.literal("failed"), why: z.string() }),
  /** The answer to the `login` of that number. The address holds a secret. */
  z.object({ kind: z.literal("login"), call: z.number().int(), url: z.string() }),
  /** Somebody who has logged in looks at it. */
  z.object({ kind: z.literal("used") }),
]);
export type FromConsole = z.infer<typeof FromConsoleSchema>;
