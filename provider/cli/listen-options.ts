import { parseHostAndPort, type HostAndPort } from "../core/host-and-port";
import type { ListenWish } from "../operations/restore-any/where-we-listen";
import { wrongUsage } from "./exit-codes";

export interface ListenOptions {
  readonly listen?: string;
  readonly announce?: string;
}

/** `--listen host:port` and `--announce host[:port]`, read. An IPv6 address stands in brackets. */
export function listenWish({ listen, announce }: ListenOptions): ListenWish {
  return {
    ...(listen === undefined ? {} : { listen: hostAndPort("--listen", listen) }),
    ...(announce === undefined ? {} : { announce: hostAndPort("--announce", announce) }),
  };
}

export function hostAndPort(option: string, text: string): HostAndPort {
  const read = parseHostAndPort(text);
  if (read !== undefined) return read;
  throw wrongUsage(option, "it is no host and port", "Write 10.0.0.5:7000, or [fd00::5]:7000");
}
