import type { BackupSource } from "../core/job";
import { Secret } from "../core/secret";
import type { Leader } from "../redis/replication/leader";

/** A server to take a snapshot of. */
export interface CaptureSource extends Leader {
  /** Ours alone: the folder of this machine where it writes its snapshots. */
  readonly dataFolder?: string | undefined;
  /** One that isn't ours may write the snapshot to its own disk, although a full one would stop its writes. */
  readonly acceptDisk?: boolean | undefined;
}

/** The source that a job is told of, with its secrets hidden. */
export function captureSource({ password, tls, ...source }: BackupSource): CaptureSource {
  return {
    ...source,
    password: secret(password),
    tls: tls === undefined ? undefined : { ...tls, key: secret(tls.key) },
  };
}

function secret(value: string | undefined): Secret | undefined {
  return value === undefined ? undefined : new Secret(value);
}
