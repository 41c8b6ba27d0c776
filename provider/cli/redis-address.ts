import { authority } from "../core/uri";
import { wrongUsage } from "./exit-codes";
import { PASSWORD_VARIABLE } from "./secrets";

/** A Redis by its URL, which holds no password. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly tls: boolean;
}

const DEFAULT_PORT = 6379;
const FORM = "Write redis://host:port, redis://user@host:port, or rediss:// for TLS";

/**
 * Reads `redis://[user@]host[:port]` or `rediss://…`. Whatever is refused is not repeated: it may hold a password. `option`
 * is what it was given with.
 */
export function parseRedisAddress(text: string, option = "--from"): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "redis:" && url.protocol !== "rediss:") || url.hostname === "")
    throw wrongUsage(option, "it is no URL of a Redis", FORM);
  if (url.password !== "")
    throw wrongUsage(
      option,
      "a password in a URL can be read by everybody on this machine, in the process list, and stays in the shell's history",
      `Leave it out: redis://${url.username === "" ? "" : "user@"}host:port; set ${PASSWORD_VARIABLE}, or be asked for it`,
    );
  if (url.search !== "" || url.hash !== "" || !["", "/"].includes(url.pathname))
    throw wrongUsage(option, "something follows host and port", "A backup always holds every database");
  const username = decoded(url.username, option);
  return {
    // An IPv6 address stands in brackets in a URL alone.
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? DEFAULT_PORT : Number(url.port),
    ...(username === "" ? {} : { username }),
    tls: url.protocol === "rediss:",
  };
}

function decoded(text: string, option: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrongUsage(option, "a % in the user name begins no character's code", FORM);
  }
}

/** The name that a Redis's backups get unless another one is given: `<host>-<port>`, of what a store's key may hold. */
export function defaultName({ host, port }: Pick<RedisAddress, "host" | "port">): string {
  return `${host}-${port}`.replace(/[^A-Za-z0-9._-]/g, "-").replace(/^[.-]+/, "");
}

export function addressText({ host, port }: Pick<RedisAddress, "host" | "port">): string {
  return authority(host, port);
}

/** A name for a catalog, checked. */
export function catalogName(name: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name)) return name;
  throw wrongUsage(
    "the name",
    "it must be of letters, digits, dots, underscores and hyphens, and begin with none of the last two",
    "Choose one such as shop-cache",
  );
}
