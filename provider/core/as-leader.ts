import { CAPTURE_USER, REPLICA_USER } from "./access";
import { Failure } from "./errors";
import type { AddonRecord } from "./facets";
import type { LeaderAddress } from "./render";
import { reachableHost } from "./settings";

/** How followers reach an add-on of this machine: as its internal replication user. */
export function addressAsLeader({ server, credentials }: AddonRecord): LeaderAddress {
  return {
    host: reachableHost(server.wish.bind),
    port: server.wish.port,
    username: REPLICA_USER,
    password: credentials.replicaPassword,
  };
}

/** How backups do: as a user who may copy the data whoever else may not. */
export function addressForBackups(record: AddonRecord): LeaderAddress {
  return { ...addressAsLeader(record), username: CAPTURE_USER };
}

export function noSuchLeader(leader: string, follower: string): Failure {
  return new Failure({
    code: "no-such-leader",
    operation: "follow with",
    subject: follower,
    cause: `there is no add-on ${leader} to follow`,
    hint: "Check the leader's name: redis-addon list",
  });
}
