import { isIP } from "node:net";
import { checkServerIdentity, getCACertificates, type ConnectionOptions } from "node:tls";

/** How a server is reached by TLS; everything in PEM. */
interface Tls {
  /** Certificates to trust instead of the system's. */
  readonly ca?: string | undefined;
  /** The name that the server's certificate must have; absent: the host. */
  readonly serverName?: string | undefined;
  /** What we show of ourselves, and its key. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** Node's options for a connection whose other side is verified in full: who signed its certificate, its name, its dates. */
export function tlsOptions(
  host: string,
  { ca, serverName = host, certificate, key }: Tls,
): Omit<ConnectionOptions, "host" | "port"> {
  return {
    ...trusted(ca),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
    // TLS asks servers for names alone, certificates are for addresses as well.
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    checkServerIdentity: (_: string, shown: Parameters<typeof checkServerIdentity>[1]) =>
      checkServerIdentity(serverName, shown),
    rejectUnauthorized: true,
  };
}

/** Node's own list lacks what a company added to its machines; a Node before 22.15 has no way to ask for that. */
function trusted(ca: string | undefined): { ca?: string | string[] } {
  if (ca !== undefined) return { ca };
  if (typeof getCACertificates !== "function") return {};
  return { ca: [...getCACertificates("default"), ...getCACertificates("system")] };
}
