import { s3Url, type S3Destination } from "../../core/s3-destination";
import type { StoreCredentials } from "../../core/store-credentials";
import type { Clock } from "../../core/task";
import { systemClock } from "../../system/clock";
import { type RetryPolicy, retrying } from "../retry";
import { openClients } from "./client";
import { explain } from "./explain";
import { sending } from "./send";
import type { Session } from "./session";
import { isTransient } from "./transient";

/** Outlasts an outage of some 15 seconds; a longer one is the caller's to wait for. */
const RETRIES: RetryPolicy = {
  attempts: 10,
  firstDelayMs: 100,
  longestDelayMs: 10_000,
  deadlineMs: 5 * 60_000,
};

export interface S3StoreOptions {
  /** Absent: the standard chain of environment, profiles and the machine's role. */
  readonly credentials?: StoreCredentials;
  readonly clock?: Clock;
  /** From 0 to below 1; for waits alone. */
  readonly random?: () => number;
  /** Objects in a page of a listing; S3's own limit by default. */
  readonly pageSize?: number;
}

/** What every operation on a place of a bucket needs. Nothing is asked of it yet. */
export async function openSession(
  destination: S3Destination,
  options: S3StoreOptions = {},
): Promise<Session> {
  const { credentials, clock = systemClock, random = Math.random, pageSize = 1000 } = options;
  return {
    destination,
    clients: await openClients(destination, credentials),
    send: sending(retrying(RETRIES, { clock, random, isTransient }), (error, about) =>
      explain(error, about, destination),
    ),
    clock,
    random,
    url: s3Url(destination),
    root: destination.prefix === "" ? "" : `${destination.prefix}/`,
    pageSize,
  };
}
