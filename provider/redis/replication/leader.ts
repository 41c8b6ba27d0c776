import { Failure } from "../../core/errors";
import type { Secret } from "../../core/secret";

/** Where a server is and how to get in. */
export interface Leader {
  readonly host: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: Secret | undefined;
  /** Absent: a plain connection. */
  readonly tls?: LeaderTls | undefined;
}

/** Everything in PEM. */
export interface LeaderTls {
  /** Certificates to trust instead of the system's. */
  readonly ca?: string | undefined;
  /** The name that the server's certificate must have; absent: the host. */
  readonly serverName?: string | undefined;
  /** What we show of ourselves, and its key. */
  readonly certificate?: string | undefined;
  readonly key?: Secret | undefined;
}

export function leaderFailure(
  leader: Leader,
  code: string,
  cause: string,
  more: { hint?: string; transient?: boolean } = {},
): Failure {
  return new Failure({
    code,
    operation: "read a snapshot from",
    subject: `${leader.host}:${leader.port}`,
    cause,
    ...more,
  });
}

const LONGEST_QUOTE = 200;

/** A server's own words, fit to be shown: it may repeat what it was sent, at any length, and steer a terminal. */
export function quote(leader: Leader, said: string): string {
  const password = leader.password?.reveal() ?? "";
  const safe = password === "" ? said : said.replaceAll(password, "[secret]");
  const printable = safe.replaceAll(/\p{C}/gu, "?");
  return printable.length <= LONGEST_QUOTE ? printable : `${printable.slice(0, LONGEST_QUOTE)}…`;
}

export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
