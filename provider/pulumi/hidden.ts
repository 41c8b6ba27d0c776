import { z } from "zod";
import { STATE_VERSION, type Properties } from "./properties";

/** Seconds, from the resource option `customTimeouts`, which the engine keeps to itself. */
const TimeoutsSchema = z.object({ create: z.number(), update: z.number(), delete: z.number() }).partial();

const HiddenSchema = z.object({
  __urn: z.string().optional().catch(undefined),
  __given: z.array(z.string()).optional().catch(undefined),
  __timeouts: TimeoutsSchema.optional().catch(undefined),
});

/** What our SDK classes add to a program's inputs. Previews don't show properties that begin with two underscores. */
export interface Hidden {
  /** Absent where a program registers our type without our SDK class. */
  readonly urn: string | undefined;
  /** Which inputs the program set. */
  readonly given: readonly string[];
  readonly timeouts: z.infer<typeof TimeoutsSchema>;
}

export function readHidden(properties: Properties): Hidden {
  const { __urn, __given, __timeouts } = HiddenSchema.parse(properties);
  const visible = Object.keys(properties).filter((key) => !key.startsWith("__"));
  return { urn: __urn, given: __given ?? visible, timeouts: __timeouts ?? {} };
}

/** The same, as inputs and outputs record it. */
export function writeHidden(hidden: Hidden): Record<string, unknown> {
  return {
    __state: STATE_VERSION,
    __given: [...hidden.given],
    __timeouts: { ...hidden.timeouts },
    ...(hidden.urn === undefined ? {} : { __urn: hidden.urn }),
  };
}
