import { hostAndPortText, isLoopback, type HostAndPort } from "../../core/host-and-port";

/** The names by which browsers on this machine reach what listens on loopback. */
const LOOPBACK_NAMES = ["127.0.0.1", "localhost", "::1"];

/** As what the console is asked for. A request for anything else comes from a page that means something else. */
export interface Ours {
  /** `https` also where a proxy speaks it for us. */
  readonly scheme: "http" | "https";
  /** As the header Host spells them, in small letters: `127.0.0.1:31007`. */
  readonly hosts: ReadonlySet<string>;
  /** `http://127.0.0.1:31007`: what is printed. */
  readonly origin: string;
}

/**
 * A stated origin counts alone: a proxy has to pass on the Host it was asked for, and what it says in other headers
 * counts for nothing. Without one it is the address that is listened on, on loopback by each of its names.
 */
export function oursOf(
  listen: HostAndPort,
  { isTls, statedOrigin }: { readonly isTls: boolean; readonly statedOrigin?: string | undefined },
): Ours {
  if (statedOrigin !== undefined) {
    const { protocol, host, origin } = new URL(statedOrigin);
    return { scheme: protocol === "https:" ? "https" : "http", hosts: new Set([host]), origin };
  }
  const scheme = isTls ? "https" : "http";
  // As a browser spells it, which leaves out a port that goes without saying.
  const spelt = (host: string) => new URL(`${scheme}://${hostAndPortText({ host, port: listen.port })}`);
  const names = isLoopback(listen.host) ? [listen.host, ...LOOPBACK_NAMES] : [listen.host];
  return { scheme, hosts: new Set(names.map((name) => spelt(name).host)), origin: spelt(listen.host).origin };
}
