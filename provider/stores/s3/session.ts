import type { Failure } from "../../core/errors";
import type { S3Destination } from "../../core/s3-destination";
import type { Clock } from "../../core/task";
import type { Clients } from "./client";
import type { Send } from "./send";

/** What every operation of one open store needs. */
export interface Session {
  readonly destination: S3Destination;
  readonly clients: Clients;
  readonly send: Send;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** `s3://bucket/prefix`. */
  readonly url: string;
  /** What stands before every key: empty, or the prefix with its slash. */
  readonly root: string;
  /** Objects in a page of a listing. */
  readonly pageSize: number;
}

/** Where an object is, as the SDK wants it. */
export function locate({ destination, root }: Session, key: string) {
  return { Bucket: destination.bucket, Key: root + key };
}

export function hasCode(error: unknown, ...codes: readonly string[]): error is Failure {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** The SDK learns how far the store's clock is from ours from each answer. */
export function timeOfStore({ clients, clock }: Session): number {
  return clock.now() + clients.usual.config.systemClockOffset;
}
