import { followerStatusOf, type FollowerStatus } from "../core/follower-status";
import { systemClock } from "../system/clock";
import { inspect } from "./inspect";
import { noSuchAddon } from "./no-such-addon";
import { openPlatform, type PlatformChoice } from "./open-platform";

/**
 * How an add-on follows its leader, looked at now, for who has neither a platform nor a task. A Failure
 * (`no-such-addon`) where there is none of that name.
 */
export async function followerStatusOn(
  choice: PlatformChoice,
  name: string,
  signal: AbortSignal,
): Promise<FollowerStatus> {
  const platform = await openPlatform(choice);
  const status = await inspect(platform, name, { signal, clock: systemClock, progress: () => undefined });
  if (status !== undefined) return followerStatusOf(status);
  throw await noSuchAddon(platform, name, "The platform's dataHome says where to look");
}
