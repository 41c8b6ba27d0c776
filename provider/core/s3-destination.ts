/** A bucket, or a part of one, of AWS or of any store that speaks its S3 protocol. */
export interface S3Destination {
  readonly kind: "s3";
  readonly bucket: string;
  /** What every key begins with, without a slash at either end; empty: the bucket itself. */
  readonly prefix: string;
  /** Where the store answers, such as `https://minio.example.com:9000`; absent: AWS, or what its own settings say. */
  readonly endpoint?: string;
  /** Absent: what the standard settings say (AWS_REGION, the profile); with an endpoint `us-east-1` in the end. */
  readonly region?: string;
  /** The bucket is the first part of the path instead of the host's name. */
  readonly pathStyle: boolean;
}

/** Why a destination is none, and what to write instead. Neither repeats what may be a secret. */
export interface DestinationFault {
  readonly kind: "fault";
  readonly cause: string;
  readonly hint: string;
}

const FORM = "s3://bucket/prefix?endpoint=https://host:port&region=us-east-1";
const CREDENTIALS_HINT =
  "Leave them out of the URL: give them as credentials, or by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile";

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
const BUCKET = /^(?=.{3,63}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const ADDRESS = /^\d+\.\d+\.\d+\.\d+$/;
const PREFIX_PART = /^[A-Za-z0-9._=-]+$/;
/** A key has 1,024 bytes; this leaves enough for the longest name of ours. */
const LONGEST_PREFIX = 512;
const REGION = /^[A-Za-z0-9-]{1,64}$/;
const PARAMETERS = ["endpoint", "region", "pathStyle"];
const CREDENTIAL_NAME = /key|secret|token|pass|user|cred|sign/i;
/** Short and of letters alone it is a misspelt name rather than somebody's key. */
const NAMEABLE = /^[A-Za-z]{1,16}$/;

/**
 * Reads `s3://bucket/prefix?endpoint=https://host:port&region=…&pathStyle=true|false`. All parameters may be left out;
 * pathStyle is then true with an endpoint, and false for AWS. Credentials have no place in it.
 *
 * An endpoint may be plain `http:`. Then whoever is on the way reads every backup, and its keys' names, unless the
 * archives are encrypted; the secret access key itself is never sent. Fit for loopback and networks one trusts.
 */
export function parseS3Destination(url: string): S3Destination | DestinationFault {
  const parts = /^s3:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/is.exec(url);
  if (parts === null) return fault("it is no URL of a bucket");
  const [, bucket = "", path = "", query = "", fragment] = parts;
  if (/[@:]/.test(bucket)) return fault("it holds credentials or a port before the bucket", CREDENTIALS_HINT);
  if (fragment !== undefined) return fault("it has a part after #, which no bucket's URL has");
  if (!BUCKET.test(bucket) || ADDRESS.test(bucket))
    return fault(
      "a bucket's name is 3 to 63 lower-case letters, digits, hyphens and dots, and begins and ends with a letter or digit",
    );
  const prefix = path.replace(/^\/|\/$/g, "");
  const prefixParts = prefix === "" ? [] : prefix.split("/");
  if (prefixParts.some((part) => !PREFIX_PART.test(part) || /^\.+$/.test(part)))
    return fault("a prefix is of letters, digits, ., _, = and -, its parts divided by single slashes");
  if (prefix.length > LONGEST_PREFIX) return fault(`a prefix has at most ${LONGEST_PREFIX} characters`);

  const given = new URLSearchParams(query);
  for (const name of given.keys()) {
    if (!PARAMETERS.includes(name)) return unknownParameter(name);
    if (given.getAll(name).length > 1) return fault(`it gives ${name} more than once`);
  }
  const region = given.get("region") ?? undefined;
  if (region !== undefined && !REGION.test(region))
    return fault("a region is of letters, digits and hyphens, such as eu-central-1");
  const pathStyle = given.get("pathStyle") ?? undefined;
  if (pathStyle !== undefined && !["true", "false"].includes(pathStyle))
    return fault("pathStyle is true or false");
  const endpoint = parseEndpoint(given.get("endpoint") ?? undefined);
  if (typeof endpoint === "object") return endpoint;
  return {
    kind: "s3",
    bucket,
    prefix,
    pathStyle: pathStyle === undefined ? endpoint !== undefined : pathStyle === "true",
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
  };
}

/** `s3://bucket/prefix`: what keys are joined to, in messages and for other tools. Where it answers is left out. */
export function s3Url({ bucket, prefix }: S3Destination): string {
  return prefix === "" ? `s3://${bucket}` : `s3://${bucket}/${prefix}`;
}

function parseEndpoint(text: string | undefined): string | undefined | DestinationFault {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === "")
    return fault("its endpoint is no http: or https: URL");
  if (url.username !== "" || url.password !== "")
    return fault("its endpoint holds credentials", CREDENTIALS_HINT);
  if (url.search !== "" || url.hash !== "")
    return fault("its endpoint has more than a host, a port and a path");
  return url.origin + url.pathname.replace(/\/+$/, "");
}

function unknownParameter(name: string): DestinationFault {
  if (CREDENTIAL_NAME.test(name)) return fault("it holds credentials", CREDENTIALS_HINT);
  const shown = NAMEABLE.test(name) ? `the parameter ${name}` : "a parameter";
  return fault(`it has ${shown}, which is none of ${PARAMETERS.join(", ")}`);
}

function fault(cause: string, hint = `Write ${FORM}, with AWS itself without an endpoint`): DestinationFault {
  return { kind: "fault", cause, hint };
}
