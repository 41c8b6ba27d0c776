import type { PeerCertificate } from "node:tls";
import { quoted } from "./quote";

/** Why there is no TLS to a server, in a Failure's words. */
interface TlsProblem {
  readonly code: string;
  readonly cause: string;
  readonly hint?: string;
  readonly transient?: boolean;
}

interface Pattern {
  readonly matches: RegExp;
  readonly code: string;
  readonly cause: string;
  readonly hint: string;
}

const NO_TLS = {
  code: "no-tls",
  cause: "what answers on this port speaks no TLS",
  hint: "Check the port, or connect without TLS",
};

// The first whose pattern is in the error's code wins; the words are OpenSSL's and Node's.
const PATTERNS: readonly Pattern[] = [
  {
    matches: /CERT_HAS_EXPIRED/,
    code: "tls-expired",
    cause: "its certificate has expired",
    hint: "Renew the server's certificate; if it is newer than that, check this machine's clock",
  },
  {
    matches: /CERT_NOT_YET_VALID/,
    code: "tls-expired",
    cause: "its certificate is not valid yet",
    hint: "Check this machine's clock, and the day from which the server's certificate is valid",
  },
  {
    matches:
      /SELF_SIGNED|UNABLE_TO_VERIFY_LEAF|UNABLE_TO_GET_ISSUER|CERT_UNTRUSTED|CERT_SIGNATURE|INVALID_CA/,
    code: "tls-not-trusted",
    cause: "its certificate is signed by an authority that is not trusted here",
    hint: "Give the certificate of the authority that signed it, in PEM, if you trust it",
  },
  {
    matches: /ALERT_CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE/,
    code: "tls-certificate-needed",
    cause: "it asks for a client's certificate",
    hint: "Give a certificate that it accepts, with its key; or let it take clients without: tls-auth-clients no",
  },
  {
    matches: /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_)|ALERT_ACCESS_DENIED/,
    code: "tls-certificate-refused",
    cause: "it does not accept the client's certificate",
    hint: "Give one that is valid and signed by an authority that the server trusts (its tls-ca-cert-file)",
  },
  { matches: /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/, ...NO_TLS },
  {
    matches: /^ERR_OSSL_|NO_START_LINE|KEY_VALUES_MISMATCH|BAD_BASE64|^ERR_CRYPTO/,
    code: "tls-bad-file",
    cause:
      "the certificates or the key for this connection are no valid PEM, or the key is another certificate's",
    hint: "Check the authority's certificate, the client's certificate and its key",
  },
];

/**
 * What Node said of a TLS connection, as a person needs it; absent: it was not about TLS. `greeting`: TCP was connected,
 * and TLS not yet.
 */
export function tlsProblem(
  error: Error,
  of: { readonly serverName: string; readonly greeting: boolean; readonly secrets?: readonly string[] },
): TlsProblem | undefined {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return wrongName(error, of.serverName, of.secrets);
  const known = PATTERNS.find(({ matches }) => matches.test(code));
  if (known !== undefined) return { code: known.code, cause: known.cause, hint: known.hint };
  if (code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_"))
    return { code: "tls-failed", cause: `TLS failed with ${code}` };
  // A Redis without TLS waits for the end of what it takes for a line, or hangs up.
  if (of.greeting)
    return {
      code: NO_TLS.code,
      cause: "it takes connections, but does not answer a greeting of TLS",
      hint: NO_TLS.hint,
      transient: true,
    };
  return undefined;
}

function wrongName(error: Error, serverName: string, secrets: readonly string[] = []): TlsProblem {
  const { subjectaltname, subject } = ("cert" in error ? error.cert : {}) as Partial<PeerCertificate>;
  const names = subjectaltname ?? [subject?.CN ?? "no name"].flat().join(", ");
  return {
    code: "tls-wrong-name",
    cause: `its certificate is not for ${serverName}, but for: ${quoted(names, secrets)}`,
    hint: "Use a host name that the certificate has, or tell which name it should have",
  };
}
