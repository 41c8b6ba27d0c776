import { Failure } from "../../core/errors";
import type { Secret } from "../../core/secret";
import { quoted } from "../quote";

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

/** A server's own words, fit to be shown. */
export function quote(leader: Leader, said: string): string {
  return quoted(said, secretsOf(leader));
}

export function secretsOf({ password }: Leader): readonly string[] {
  return password === undefined ? [] : [password.reveal()];
}

export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
