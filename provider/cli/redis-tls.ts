import type { Command } from "commander";
import type { LeaderTls } from "../core/facets";
import { wrongUsage } from "./exit-codes";
import { optionFile } from "./option-file";
import type { RedisAddress } from "./redis-address";

/** How a Redis is reached by TLS, as it is typed. */
export interface RedisTlsOptions {
  readonly cacert?: string;
  readonly tlsServerName?: string;
  readonly cert?: string;
  readonly key?: string;
}

export function tlsOptions(command: Command): Command {
  return command
    .option("--cacert <file>", "certificates in PEM to trust instead of the system's")
    .option("--tls-server-name <name>", "the name that the certificate must have (default: the host)")
    .option("--cert <file>", "the certificate to show, in PEM")
    .option("--key <file>", "its key, in PEM");
}

/** The files that were named, read; absent: the connection is plain. `option` names the one that holds the address. */
export async function tlsOf(
  option: string,
  address: RedisAddress,
  { cacert, tlsServerName, cert, key }: RedisTlsOptions,
): Promise<LeaderTls | undefined> {
  if (!address.tls) {
    if ([cacert, tlsServerName, cert, key].every((given) => given === undefined)) return undefined;
    throw wrongUsage(option, "TLS is described, but redis:// uses none", "Write rediss://");
  }
  if ((cert === undefined) !== (key === undefined))
    throw wrongUsage("--cert and --key", "one without the other is of no use");
  const [ca, certificate, privateKey] = await Promise.all([
    cacert === undefined ? undefined : optionFile("--cacert", cacert),
    cert === undefined ? undefined : optionFile("--cert", cert),
    key === undefined ? undefined : optionFile("--key", key),
  ]);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(tlsServerName === undefined ? {} : { serverName: tlsServerName }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(privateKey === undefined ? {} : { key: privateKey }),
  };
}
