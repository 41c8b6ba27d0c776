/** One connection as a server lists it. */
export interface ListedConnection {
  /** Counts up with each connection that the server takes, and is never used again. */
  readonly id: number;
  readonly user: string;
  /** `replica`: it is sent the data, a follower or a backup. `leader`: it is where this server's own data come from. */
  readonly kind: "user" | "subscriber" | "replica" | "leader";
  readonly ageSeconds: number;
  /** It has said nothing yet, or PING last: all that ours and followers say before they log in. */
  readonly silent: boolean;
}

interface ConnectionLimit {
  /** How many connections the add-on's user may have. */
  readonly allowed: number;
  /** How many the server takes altogether (maxclients). */
  readonly most: number;
  /** Those up to this id have had the time to log in; 0: of none it is known. */
  readonly knownUpTo: number;
}

interface Excess {
  /** The newest above the limit, newest first. */
  readonly close: readonly ListedConnection[];
  /** There may be more to close in a moment. */
  readonly lookAgain: boolean;
}

/** What every connection is until it has logged in, and what the add-on's own users are afterwards. */
const USERS = "default";
/** A server counts an age in seconds of its own clock: one of 1 s may be a millisecond old. */
const SILENT_FOR_SECONDS = 2;

/** The connections of the add-on's users, and of those who haven't logged in. */
export function userConnections(connections: readonly ListedConnection[]): readonly ListedConnection[] {
  return connections.filter(({ user, kind }) => user === USERS && (kind === "user" || kind === "subscriber"));
}

/**
 * Which connections to close so that users have no more than they may; the oldest stay. Our own, followers and backups
 * log in as other users and never count.
 *
 * One that has just come and hasn't logged in yet may be anybody's: it is left alone and not counted for a second or
 * two, or, where the server has hardly any place left, until it is known to have had the time.
 */
export function excessConnections(connections: readonly ListedConnection[], limit: ConnectionLimit): Excess {
  const scarce = connections.length > (limit.allowed + limit.most) / 2;
  const isUndecided = ({ id, silent, ageSeconds }: ListedConnection): boolean =>
    silent && (scarce ? id > limit.knownUpTo : ageSeconds < SILENT_FOR_SECONDS);
  const users = userConnections(connections);
  const counted = users.filter((connection) => !isUndecided(connection)).sort((a, b) => a.id - b.id);
  return { close: counted.slice(limit.allowed).toReversed(), lookAgain: users.length > limit.allowed };
}
