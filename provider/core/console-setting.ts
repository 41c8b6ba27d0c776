import { isLoopback, parseHostAndPort, type HostAndPort } from "./host-and-port";

/** What the agent's environment says in REDIS_ADDON_CONSOLE about the console that it serves. */
export type ConsoleSetting =
  | { readonly kind: "usual" }
  | { readonly kind: "off" }
  | { readonly kind: "at"; readonly listen: HostAndPort }
  /** A clause for a message. */
  | { readonly kind: "unusable"; readonly why: string };

/** Absent or empty: on loopback, at a port of the data home's own. */
export function consoleSetting(text: string | undefined): ConsoleSetting {
  if (text === undefined || text === "") return { kind: "usual" };
  if (text === "off") return { kind: "off" };
  const listen = parseHostAndPort(text);
  if (listen === undefined)
    return { kind: "unusable", why: `REDIS_ADDON_CONSOLE is neither "off" nor a host and port: ${text}` };
  if (!isLoopback(listen.host))
    return {
      kind: "unusable",
      why: `REDIS_ADDON_CONSOLE names ${listen.host}, which others reach: the agent serves the console on loopback alone`,
    };
  return { kind: "at", listen };
}
