import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { Failure } from "../../core/errors";
import { s3Url, type S3Destination } from "../../core/s3-destination";
import type { StoreCredentials } from "../../core/store-credentials";

const CONNECT_MS = 10_000;
const IDLE_MS = 60_000;
/** Some stores copy all parts together, without a word meanwhile, before they answer. */
const COMPLETE_IDLE_MS = 10 * 60_000;
/** For endpoints, most of which don't care. */
const DEFAULT_REGION = "us-east-1";

/** The SDK takes its own NoOpLogger for none, and prints. */
const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export interface Clients {
  readonly usual: S3Client;
  /** For the one request whose answer may take minutes: CompleteMultipartUpload. */
  readonly patient: S3Client;
}

/** Both talk to one place, by the same credentials. Idle connections keep no process alive. */
export async function openClients(
  destination: S3Destination,
  credentials: StoreCredentials | undefined,
): Promise<Clients> {
  const open = await withRegion(destination, {
    forcePathStyle: destination.pathStyle,
    // Retries are this driver's own: the SDK's three attempts don't outlast half a second of outage.
    maxAttempts: 1,
    // Left to itself it prints advice to whoever's terminal this is.
    logger: SILENT,
    // With it each part would have a connection of its own.
    expectContinueHeader: false,
    // It joins streams by pipe(), which loses the news that an answer was cut: what is read is checked here.
    responseChecksumValidation: "WHEN_REQUIRED",
    ...(destination.endpoint === undefined ? {} : { endpoint: destination.endpoint }),
    ...(credentials === undefined ? {} : { credentials: plainKeys(credentials) }),
  });
  return { usual: open(IDLE_MS), patient: open(COMPLETE_IDLE_MS) };
}

async function withRegion(
  { endpoint, region, ...destination }: S3Destination,
  config: S3ClientConfig,
): Promise<(idleMs: number) => S3Client> {
  const open = (region: S3ClientConfig["region"]) => (socketTimeout: number) =>
    new S3Client({
      ...config,
      ...(region === undefined ? {} : { region }),
      requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout },
    });
  if (region !== undefined) return open(region);
  const standard = await open(undefined)(IDLE_MS)
    .config.region()
    .catch(() => undefined);
  if (standard !== undefined) return open(standard);
  if (endpoint !== undefined) return open(DEFAULT_REGION);
  throw new Failure({
    code: "no-region",
    operation: "open",
    subject: s3Url({ ...destination, kind: "s3" }),
    cause: "nothing says in which region the bucket is",
    hint: "Add it to the destination, ?region=eu-central-1, or set AWS_REGION; for a store that is not AWS add ?endpoint=https://host:port",
  });
}

function plainKeys({ accessKeyId, secretAccessKey, sessionToken }: StoreCredentials) {
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}
