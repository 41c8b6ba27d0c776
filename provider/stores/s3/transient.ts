import { NotAnAnswer } from "./answers";

/** Codes of errors that time alone may cure, whatever the status is. */
const TRANSIENT_CODES = new Set([
  "BandwidthLimitExceeded",
  "ConditionalRequestConflict",
  "InternalError",
  "InternalServerError",
  "OperationAborted",
  "RequestLimitExceeded",
  "RequestThrottled",
  "RequestThrottledException",
  "RequestTimeout",
  "RequestTimeoutException",
  "ServiceUnavailable",
  "SlowDown",
  "SlowDownRead",
  "SlowDownWrite",
  "Throttling",
  "ThrottlingException",
  "TimeoutError",
  "TooManyRequests",
  "TooManyRequestsException",
  "XMinioServerNotInitialized",
]);
const NETWORK_CODES = new Set([
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "EPIPE",
  "ETIMEDOUT",
  "ERR_STREAM_PREMATURE_CLOSE",
]);
/** 501 and 505 are what a store will never do, 507 is a disk that is full. */
const TRANSIENT_STATUSES = new Set([408, 425, 429, 500, 502, 503, 504]);
/** What waiting does not change, also where the SDK shows an error within a 200 answer as a 503. */
const DEFINITE =
  /^(AccessDenied|BadDigest|Entity\w+|Invalid\w+|NoSuch\w+|NotImplemented|PreconditionFailed|\w*Quota\w*|SignatureDoesNotMatch|XMinioStorageFull)$/;

/** An error of the SDK or the network, as far as it tells. */
export interface S3Error {
  /** What the store named it, `NoSuchKey`; else the SDK's or Node's name. */
  readonly name: string;
  /** The system's name, `ECONNREFUSED`; empty for what the store itself answered. */
  readonly systemCode: string;
  /** HTTP's; absent: there was no answer. */
  readonly status: number | undefined;
  readonly message: string;
  /** The region that the store says the bucket is in. */
  readonly region: string | undefined;
  /** The SDK has just learnt the store's clock, and will sign by it. */
  readonly clockCorrected: boolean;
}

export function readS3Error(error: unknown): S3Error {
  const fields = (error ?? {}) as {
    readonly name?: unknown;
    readonly code?: unknown;
    readonly message?: unknown;
    readonly Region?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean };
    readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
    readonly errors?: readonly unknown[];
  };
  // Where a name has several addresses, Node tells of all at once.
  const nested = fields.errors?.[0] as { readonly code?: unknown } | undefined;
  const code = typeof fields.code === "string" ? fields.code : nested?.code;
  const region = fields.Region ?? fields.$response?.headers?.["x-amz-bucket-region"];
  return {
    name: typeof fields.name === "string" ? fields.name : "",
    systemCode: typeof code === "string" ? code : "",
    status: fields.$metadata?.httpStatusCode,
    message: typeof fields.message === "string" ? fields.message : String(error),
    region: typeof region === "string" ? region : undefined,
    clockCorrected: fields.$metadata?.clockSkewCorrected === true,
  };
}

/** Whether the same request may succeed a moment later. A missing object, a missing right or a lost race never is. */
export function isTransient(error: unknown): boolean {
  if (error instanceof NotAnAnswer) return true;
  const { name, systemCode, status, clockCorrected } = readS3Error(error);
  if (name === "AbortError") return false;
  if (clockCorrected || TRANSIENT_CODES.has(name) || NETWORK_CODES.has(systemCode)) return true;
  if (status === undefined) return false;
  // Half an answer: it was no XML, or ended within it.
  if (status < 300) return true;
  return TRANSIENT_STATUSES.has(status) && !DEFINITE.test(name);
}
