import type { Clock } from "../core/task";
import type { Platform } from "../platforms/contract";
import type { Activities } from "./activities/activities";
import type { AddonWatch } from "./watch/addon-watch";

/** What every page works with. */
export interface ConsoleContext {
  readonly platform: Platform;
  /** As the console was told; absent: the usual one. */
  readonly dataHome: string | undefined;
  readonly clock: Clock;
  /** Aborted when the console ends. */
  readonly signal: AbortSignal;
  readonly watch: AddonWatch;
  readonly activities: Activities;
}
