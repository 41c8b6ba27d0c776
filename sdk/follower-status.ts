import type { FollowerStatus } from "../provider/core/follower-status";
import { stackDefault } from "./declare";
import type { Platform } from "./platform";

export type { FollowerStatus };

export interface FollowerStatusOptions {
  /** Where the add-on runs. Default: as for a {@link RedisAddon} without `platform`. */
  readonly platform?: Platform;
  /** Ends the look early, with the signal's reason. A leader that is away costs it less than two seconds. */
  readonly signal?: AbortSignal;
}

/**
 * How an add-on follows its leader at this moment: role, sync status, link, lag, when it was last in sync.
 *
 * It asks the servers, changes nothing and leaves nothing in the state; scripts may call it outside of a program. In a
 * program the name is known only once the follower is, so it is called within `apply`, where it is skipped in previews
 * of what doesn't exist yet:
 *
 * ```ts
 * const follows = new RedisFollower("copy-follows", { addon: copy, leader: cache });
 * follows.addon.apply(async (name) => {
 *   const { state, lagBytes } = await followerStatus(name);
 *   pulumi.log.info(`${name} is ${state}, ${lagBytes ?? "?"} bytes behind`);
 * });
 * ```
 *
 * In a script: `const { state } = await followerStatus("shop-dev-copy", { platform: { kind: "local", dataHome } })`.
 *
 * @param addon The add-on's name, which is its id.
 * @param options Where it runs.
 * @throws An error whose `code` is `no-such-addon` where there is none of that name, `record-unreadable` where a newer
 * version of this package made it.
 */
export async function followerStatus(
  addon: string,
  { platform, signal }: FollowerStatusOptions = {},
): Promise<FollowerStatus> {
  const dataHome = platform === undefined ? stackDefault("dataHome") : platform.dataHome;
  // A program that never calls this never loads what asks servers.
  const { followerStatusOn } = await import("../provider/operations/follower-status.js");
  return followerStatusOn({ kind: "local", dataHome }, addon, signal ?? new AbortController().signal);
}
