import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { Failure } from "../../core/errors";
import { s3Url, type S3Destination } from "../../core/s3-destination";
import type { StoreCredentials } from "../../core/store-credentials";
import type { Clock } from "../../core/task";
import { systemClock } from "../../system/clock";
import type { Store } from "../contract";
import { splitKey } from "../keys";
import { type RetryPolicy, retrying } from "../retry";
import { openClients } from "./client";
import { conditionalWrites } from "./conditional";
import { explain } from "./explain";
import { get } from "./get";
import { list } from "./list";
import { put } from "./put";
import { sending } from "./send";
import { locate, type Session } from "./session";
import { sweep } from "./sweep";
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

/** A bucket, or what lies below a prefix of it, as a store. Nothing is asked of it yet. */
export async function openS3Store(destination: S3Destination, options: S3StoreOptions = {}): Promise<Store> {
  const { credentials, clock = systemClock, random = Math.random, pageSize = 1000 } = options;
  const clients = await openClients(destination, credentials);
  const url = s3Url(destination);
  const session: Session = {
    destination,
    clients,
    send: sending(retrying(RETRIES, { clock, random, isTransient }), (error, about) =>
      explain(error, about, destination),
    ),
    clock,
    random,
    url,
    root: destination.prefix === "" ? "" : `${destination.prefix}/`,
    pageSize,
  };
  const conditional = conditionalWrites(session);
  const checked = (key: string, operation: string) => void splitKey(key, operation, url);
  return {
    url,
    guarantees: async (signal) => ({ ifAbsent: (await conditional(signal)) === "kept" }),
    async put(key, source, options) {
      checked(key, "write");
      return put(session, conditional, key, source, options);
    },
    async get(key, signal) {
      checked(key, "read");
      return get(session, key, signal);
    },
    list: (prefix, signal) => list(session, prefix, signal),
    async delete(key, signal) {
      checked(key, "remove");
      await remove(session, key, signal);
    },
    sweep: (folder, signal) => sweep(session, folder, signal),
  };
}

/** S3 answers a missing key with success; some that speak its language say that it is missing. */
async function remove(session: Session, key: string, signal: AbortSignal): Promise<void> {
  const about = { operation: "remove", subject: `${session.url}/${key}`, action: "s3:DeleteObject" };
  try {
    await session.send(
      about,
      (options) => session.clients.usual.send(new DeleteObjectCommand(locate(session, key)), options),
      signal,
    );
  } catch (error) {
    if (!(error instanceof Failure && error.code === "not-found")) throw error;
  }
}
