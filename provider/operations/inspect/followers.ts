import type { AddonRecord } from "../../core/facets";
import { leadingAddon } from "../../core/leading-addon";
import { reachableHost } from "../../core/settings";
import type { ListedFollower, ServerAddress } from "../../core/status";
import type { Platform } from "../../platforms/contract";
import type { ServerObservation } from "../../redis/observe";

/** One that a leader's server gives its data to. */
export type Connected = ServerObservation["followers"][number];

/**
 * Who follows a leader: the add-ons of its place that should, and whoever else its server gives its data to. Without an
 * observation only the former are known.
 */
export async function followersOf(
  platform: Platform,
  leader: AddonRecord,
  observed: Pick<ServerObservation, "followers" | "offset"> | undefined,
): Promise<ListedFollower[]> {
  // A backup that is being taken is listed too, for a moment; it announces no port.
  const connected = (observed?.followers ?? []).filter(({ port }) => port !== 0);
  const lagOf = (follower: Connected) => listed(follower, observed?.offset ?? 0);
  const others = new Set(connected);
  const ours = (await declaredFollowers(platform, leader.name)).map((record): ListedFollower => {
    const address = addressOf(record);
    const found = asSeen(address, connected);
    if (found === undefined) return { addon: record.name, ...address, state: "absent" };
    others.delete(found);
    return { addon: record.name, ...lagOf(found), ...address };
  });
  return [...ours, ...[...others].map(lagOf)];
}

/** The follower with that address, among those that a leader sees; absent: it is not connected, or nobody can tell. */
export function asSeen(
  { host, port }: ServerAddress,
  connected: readonly Connected[],
): Connected | undefined {
  const candidates = connected.filter((follower) => follower.port === port);
  // One on another machine may have the same port; a leader sees where a connection comes from.
  const itself = candidates.find((follower) => isHere(follower.host) || follower.host === host);
  return itself ?? (candidates.length === 1 ? candidates[0] : undefined);
}

export function addressOf({ server }: AddonRecord): ServerAddress {
  return { host: reachableHost(server.wish.bind), port: server.wish.port };
}

function isHere(host: string): boolean {
  return host === "::1" || host.replace("::ffff:", "").startsWith("127.");
}

function listed({ host, port, state, offset, lagSeconds }: Connected, leaderOffset: number): ListedFollower {
  if (state !== "online") return { host, port, state: "syncing" };
  return { host, port, state: "online", lagBytes: Math.max(0, leaderOffset - offset), lagSeconds };
}

async function declaredFollowers(platform: Platform, leader: string): Promise<AddonRecord[]> {
  // One whose record can't be read shows that in its own status.
  const load = (name: string) => platform.load(name).catch(() => undefined);
  const found = await Promise.all(
    (await platform.names()).map(async (name) => {
      const record = await load(name);
      const leading = record === undefined ? undefined : await leadingAddon(record, load);
      return leading?.name === leader ? record : undefined;
    }),
  );
  return found.filter((record) => record !== undefined);
}
