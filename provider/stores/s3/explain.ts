import { Failure } from "../../core/errors";
import type { S3Destination } from "../../core/s3-destination";
import { NotAnAnswer } from "./answers";
import type { About } from "./send";
import { isTransient, readS3Error, type S3Error } from "./transient";

interface Explanation {
  readonly code: string;
  readonly cause: string;
  readonly hint?: string;
  readonly transient?: boolean;
}

type Explain = (error: S3Error, about: About, destination: S3Destination) => Explanation;

const KEYS_HINT = "Give the key's id and its secret as one pair, as the store has issued them";
const CERTIFICATE_HINT =
  "Where the store has a certificate of your own authority, name that in NODE_EXTRA_CA_CERTS before the process starts";

const noCredentials: Explain = () => ({
  code: "no-credentials",
  cause:
    "no credentials were given, and none found in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, in the profile of ~/.aws/credentials and ~/.aws/config, or by a role of this machine or container",
  hint: "Give the destination's credentials, or put them where they are looked for, for the user whose process this is",
});
const unknownKey: Explain = () => ({
  code: "unknown-access-key",
  cause: "the store does not know the access key's id",
  hint: KEYS_HINT,
});
const wrongSecret: Explain = () => ({
  code: "wrong-secret-key",
  cause: "the secret access key is not that of the access key's id",
  hint: KEYS_HINT,
});
const expired: Explain = () => ({
  code: "expired-credentials",
  cause: "the store no longer takes these temporary credentials",
  hint: "Get new ones; a profile or role that renews them by itself suits backups better",
});
const forbidden: Explain = (_, { action }, { bucket, prefix }) => ({
  code: "forbidden",
  cause: `access is denied: the key may not do ${action}`,
  hint: `Allow it ${action} on ${resourceOf(action, bucket, prefix)}`,
});
const noBucket: Explain = (_, __, { bucket, endpoint = "AWS" }) => ({
  code: "no-such-bucket",
  cause: `there is no bucket ${bucket} at ${endpoint}`,
  hint: "Create it, or correct the destination",
});
const missing: Explain = () => ({ code: "not-found", cause: "there is no such object" });
const wrongRegion: Explain = ({ region }, _, { bucket }) => ({
  code: "wrong-region",
  cause: `the bucket ${bucket} is in ${region === undefined ? "another region" : `the region ${region}`}`,
  hint: `Write its region into the destination: ?region=${region ?? "<the bucket's region>"}`,
});
const exists: Explain = () => ({ code: "already-exists", cause: "it exists already" });
const notSupported: Explain = ({ name }, { action }) => ({
  code: "not-supported",
  cause: `the store cannot do it (${action}: ${name})`,
});
const inGlacier: Explain = () => ({
  code: "in-cold-storage",
  cause:
    "the store has moved it to an archive class (Glacier), out of which nothing is read until it is restored",
  hint: "Restore it (aws s3api restore-object), then try again; and end the lifecycle rule that moves backups there",
});
const clockSkew: Explain = () => ({
  code: "clock-skew",
  cause: "the clocks of this machine and the store differ by more than the store allows",
  hint: "Set both by NTP",
});
const busy: Explain = ({ name, status }) => ({
  code: "store-unavailable",
  cause: `the store is busy or out of order (${name}${status === undefined ? "" : `, ${status}`}), also after several attempts`,
  transient: true,
});
const full: Explain = () => ({
  code: "no-space",
  cause: "the store is full, or its quota is used up",
  hint: "Free some space on it",
  transient: true,
});
const noUpload: Explain = () => ({
  code: "no-such-upload",
  cause: "the store no longer knows this upload: it was removed before it was complete",
  transient: true,
});

/** By the name that the store, the SDK or the network gives it. */
const BY_NAME: Readonly<Record<string, Explain>> = {
  CredentialsProviderError: noCredentials,
  TokenProviderError: noCredentials,
  InvalidAccessKeyId: unknownKey,
  SignatureDoesNotMatch: wrongSecret,
  ExpiredToken: expired,
  ExpiredTokenException: expired,
  InvalidToken: expired,
  TokenRefreshRequired: expired,
  AccessDenied: forbidden,
  AccountProblem: forbidden,
  AllAccessDisabled: forbidden,
  NoSuchBucket: noBucket,
  NoSuchKey: missing,
  NoSuchUpload: noUpload,
  InvalidObjectState: inGlacier,
  PermanentRedirect: wrongRegion,
  TemporaryRedirect: wrongRegion,
  AuthorizationHeaderMalformed: wrongRegion,
  IllegalLocationConstraintException: wrongRegion,
  PreconditionFailed: exists,
  NotImplemented: notSupported,
  MethodNotAllowed: notSupported,
  RequestTimeTooSkewed: clockSkew,
  RequestExpired: clockSkew,
  QuotaExceeded: full,
  XMinioStorageFull: full,
  XMinioAdminBucketQuotaExceeded: full,
};

const BY_STATUS: Readonly<Record<number, Explain>> = {
  301: wrongRegion,
  307: wrongRegion,
  403: forbidden,
  405: notSupported,
  412: exists,
  501: notSupported,
  507: full,
};

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "no such host is known",
  EAI_AGAIN: "the host's name could not be looked up",
  EHOSTUNREACH: "no way leads there",
  ENETUNREACH: "no way leads there",
  ECONNRESET: "it closed the connection",
  EPIPE: "it closed the connection",
  ETIMEDOUT: "it did not answer in time",
};

/** What went wrong, in words that say what to do. Never repeats a key. */
export function explain(error: unknown, about: About, destination: S3Destination): Failure {
  const { operation, subject } = about;
  if (error instanceof Failure) return error;
  const read = readS3Error(error);
  const known = BY_NAME[read.name] ?? network(read, destination);
  const explanation =
    known !== undefined
      ? typeof known === "function"
        ? known(read, about, destination)
        : known
      : unnamed(error, read, about, destination);
  return new Failure({ operation, subject, ...explanation });
}

function unnamed(error: unknown, read: S3Error, about: About, destination: S3Destination): Explanation {
  if (error instanceof NotAnAnswer) return noStore(read.message, destination);
  if (read.name === "ConditionalRequestConflict" || read.name === "OperationAborted")
    return { code: "conflict", cause: "others write it at this moment, again and again", transient: true };
  if (read.status !== undefined && read.status < 300) return noStore("it cannot be read", destination);
  if (isTransient(error)) return busy(read, about, destination);
  const known = BY_STATUS[read.status ?? 0];
  if (known !== undefined) return known(read, about, destination);
  const answered = read.status === undefined ? "" : `the store answered ${read.status}, `;
  return { code: "unexpected", cause: `${answered}${read.name}: ${firstLine(read.message)}` };
}

function noStore(why: string, { endpoint = "AWS" }: S3Destination): Explanation {
  return {
    code: "unexpected-answer",
    cause: `${endpoint} does not answer as an S3 store does: ${why}`,
    hint: "See whether the destination's endpoint is the store's own address",
    transient: true,
  };
}

function network({ systemCode, name, message }: S3Error, { endpoint }: S3Destination) {
  const place = endpoint ?? "AWS";
  if (/CERT|^ERR_TLS_|^UNABLE_TO_|SELF_SIGNED|^HOSTNAME_MISMATCH$/.test(systemCode))
    return {
      code: "untrusted-certificate",
      cause: `the certificate of ${place} is not trusted (${systemCode})`,
      hint: CERTIFICATE_HINT,
    };
  if (systemCode === "EPROTO" || systemCode.startsWith("ERR_SSL_"))
    return {
      code: "no-tls",
      cause: `${place} does not speak TLS as this machine does (${systemCode})`,
      hint: "If it has none, write its endpoint with http://",
    };
  const why = UNREACHABLE[systemCode] ?? (name === "TimeoutError" ? "it did not answer in time" : undefined);
  if (why === undefined && message !== "socket hang up") return undefined;
  return {
    code: "unreachable",
    cause: `${place} cannot be reached: ${why ?? "it closed the connection"}`,
    hint: "See whether the destination's endpoint is right, and whether this machine may connect to it",
    transient: systemCode !== "ENOTFOUND",
  };
}

function resourceOf(action: string, bucket: string, prefix: string): string {
  const isOfBucket = action.startsWith("s3:ListBucket");
  if (isOfBucket) return `arn:aws:s3:::${bucket}`;
  return `arn:aws:s3:::${bucket}/${prefix === "" ? "" : `${prefix}/`}*`;
}

/** The SDK adds advice for its own developers. */
function firstLine(text: string): string {
  return (text.split("\n")[0] ?? "").trim();
}
