import { isWildcard } from "../core/bind";
import { isLoopback, type HostAndPort } from "../core/host-and-port";
import { wrongUsage } from "./exit-codes";
import { hostAndPort } from "./listen-options";

/** How the console is to be served from here, as it is typed. */
export interface ServeOptions {
  readonly listen?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly origin?: string;
  readonly behindProxy?: string;
}

export interface ServeWish {
  readonly listen: HostAndPort;
  /** Files in PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** How browsers reach it, where that isn't the address that is listened on: `https://console.example.org`. */
  readonly statedOrigin?: string;
}

/** Absent: it isn't to be served from here. Passwords go through it: what others reach is refused without TLS. */
export function serveWish(options: ServeOptions): ServeWish | undefined {
  const { listen, tlsCert, tlsKey, origin, behindProxy } = options;
  if (listen === undefined) {
    if ([tlsCert, tlsKey, origin, behindProxy].every((given) => given === undefined)) return undefined;
    throw wrongUsage(
      "--tls-cert, --tls-key, --origin and --behind-proxy",
      "they tell how the console is served from here, which nobody asked for",
      "Add --listen <host:port>",
    );
  }
  const address = hostAndPort("--listen", listen);
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw wrongUsage("--tls-cert and --tls-key", "one without the other is of no use");
  if (origin !== undefined && behindProxy !== undefined)
    throw wrongUsage(
      "--origin and --behind-proxy",
      "both say how browsers reach the console",
      "Leave one out",
    );
  const tls = tlsCert === undefined || tlsKey === undefined ? undefined : { cert: tlsCert, key: tlsKey };
  if (tls === undefined && behindProxy === undefined && !isLoopback(address.host))
    throw wrongUsage(
      `--listen ${listen}`,
      "others reach this address, and everybody on the way would read passwords",
      "Add --tls-cert and --tls-key, or --behind-proxy https://<name> where a proxy speaks TLS; or listen on 127.0.0.1 and forward the port with ssh -L",
    );
  if (origin !== undefined && tls === undefined)
    throw wrongUsage(
      "--origin",
      "it is for a console with a certificate",
      "Add --tls-cert and --tls-key, or say --behind-proxy where a proxy speaks TLS",
    );
  const stated = statedOrigin("--behind-proxy", behindProxy) ?? statedOrigin("--origin", origin);
  if (stated === undefined && isWildcard(address.host))
    throw wrongUsage(
      `--listen ${listen}`,
      "it is no address that a browser can open",
      `Add --origin https://<name>:${address.port}, as the certificate names it`,
    );
  return {
    listen: address,
    ...(tls === undefined ? {} : { tls }),
    ...(stated === undefined ? {} : { statedOrigin: stated }),
  };
}

function statedOrigin(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // With nothing behind it: a console answers at the root of its host alone.
  if (url?.protocol === "https:" && [url.origin, `${url.origin}/`].includes(text.toLowerCase()))
    return url.origin;
  throw wrongUsage(
    `${option} ${text}`,
    "it is no https:// address of a host alone",
    "Write https://console.example.org",
  );
}
