import { Failure } from "../core/errors";
import { tlsProblem } from "./tls-failures";

interface FailureContext {
  readonly operation: string;
  readonly subject: string;
  /** Values that must not be in a message, whatever a server echoes. */
  readonly secrets?: readonly string[];
  /** Where it was to be reached by TLS: the name that it had to show, and whether TCP was connected and TLS not yet. */
  readonly tls?: { readonly serverName: string; readonly greeting: boolean } | undefined;
}

interface Pattern {
  readonly matches: RegExp;
  readonly code: string;
  readonly cause: string;
  readonly hint?: string;
  readonly transient?: boolean;
}

// The first that matches wins. Codes are part of the interface: sync status and preflight look at them.
const PATTERNS: readonly Pattern[] = [
  {
    matches: /WRONGPASS|invalid password|without any password configured|no password is set/i,
    code: "wrong-password",
    cause: "it refuses this user name and password",
    hint: "Check the password, and the user name if one is given",
  },
  {
    matches: /NOAUTH|Authentication required/i,
    code: "password-needed",
    cause: "it asks for a password and none was given",
    hint: "Give its password",
  },
  {
    matches: /^NOPERM/,
    code: "not-permitted",
    cause: "the user may not run this command there",
    hint: "Give a user with the rights that are needed",
  },
  {
    matches: /^READONLY/,
    code: "read-only",
    cause: "it follows a leader and takes no writes",
    hint: "Write to its leader",
  },
  {
    matches: /^LOADING/,
    code: "loading",
    cause: "it is still loading its data",
    hint: "Try again when it has finished",
    transient: true,
  },
  {
    matches: /max number of clients/i,
    code: "too-many-clients",
    cause: "it has as many clients as it takes (maxclients)",
    hint: "Close some connections to it, or raise its limit",
    transient: true,
  },
  {
    matches: /DENIED.*protected mode/is,
    code: "protected-mode",
    cause: "it runs in protected mode and takes connections from its own machine only",
    hint: "Give it a password",
  },
  {
    matches: /ECONNREFUSED/,
    code: "refused",
    cause: "nothing accepts connections at this address and port",
    hint: "Check host and port, and that the server is running",
    transient: true,
  },
  {
    matches: /ENOTFOUND|EAI_AGAIN|EAI_FAIL/,
    code: "unknown-host",
    cause: "the host name has no address",
    hint: "Check the spelling of the host",
    transient: true,
  },
  {
    matches: /EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EINVAL/,
    code: "unreachable",
    cause: "there is no way to this address from here",
    hint: "Check the host, the network and its firewalls",
    transient: true,
  },
  {
    matches: /ETIMEDOUT|timed out|timeout/i,
    code: "timeout",
    cause: "it did not answer in time",
    hint: "Check the host, the network and its firewalls",
    transient: true,
  },
  {
    matches: /Protocol error|Unknown RESP type/i,
    code: "not-redis",
    cause: "what answers there does not speak Redis's protocol without TLS",
    hint: "Check the port",
  },
  {
    matches: /not able to handle the specified number of clients/i,
    code: "open-files",
    cause: "this machine lets a process open too few files for the plan's connections",
    hint: "Raise the limit (ulimit -n), or choose a smaller plan",
  },
  {
    matches: /Connection is closed|connection close|ECONNRESET|EPIPE|Stream isn't writeable|socket hang up/i,
    code: "connection-closed",
    cause: "the connection was closed",
    hint: "Check that the server is still running",
    transient: true,
  },
];

/** What ioredis or a server said, as a Failure that a person can act on and that holds no secret. */
export function redisFailure(error: unknown, context: FailureContext): Failure {
  if (error instanceof Failure) return error;
  const { operation, subject, tls, secrets = [] } = context;
  const ofTls = tls && error instanceof Error ? tlsProblem(error, { ...tls, secrets }) : undefined;
  if (ofTls !== undefined) return new Failure({ operation, subject, ...ofTls });
  const said = spoken(error);
  const pattern = PATTERNS.find(({ matches }) => matches.test(said));
  if (pattern !== undefined) {
    const { code, cause, hint = "", transient = false } = pattern;
    return new Failure({ code, operation, subject, cause, hint, transient });
  }
  // Redis echoes the arguments of a command that it doesn't know.
  const withoutArguments = said.replace(/,? ?with args beginning with.*/is, "");
  const clean = secrets
    .filter((secret) => secret !== "")
    .reduce((text, secret) => text.replaceAll(secret, "[secret]"), withoutArguments);
  return new Failure({ code: "redis-error", operation, subject, cause: `the server answered "${clean}"` });
}

function spoken(error: unknown): string {
  // Several addresses of one host were tried: each error stands inside, the outer one is empty.
  if (error instanceof AggregateError) return error.errors.map(spoken).join("; ");
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? `${error.code} ` : "";
  return `${code}${error.message}`;
}
