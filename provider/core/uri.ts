export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly password: string;
  readonly username?: string;
  readonly database?: number;
}

/**
 * The one form that every client library and redis-cli takes: `redis://default:password@host:port[/database]`.
 * An empty user name (`redis://:password@…`) is what redis-cli refuses, a missing one what the libraries refuse.
 * Proved with every password that `password.ts` allows (contract tests of URLs): ioredis 5 and 6, node-redis 4 to 6,
 * redis-py 5 and 8, redis-cli 6.2 to 7.4, valkey-cli 8.
 */
export function redisUrl({ host, port, username = "default", password, database }: Endpoint): string {
  return `redis://${encoded(username)}:${encoded(password)}@${authority(host, port)}${path(database)}`;
}

/**
 * The form that the reference system documents for redis-cli: `redis://password@host:port[/database]`. Every redis-cli
 * takes it, no library does: they read the password as a user's name.
 */
export function redisCliUrl({ host, port, password, database }: Omit<Endpoint, "username">): string {
  return `redis://${encoded(password)}@${authority(host, port)}${path(database)}`;
}

/** One of the two URLs above, for one of the server's databases. */
export function withDatabase(url: string, database: number): string {
  return `${url}${path(database)}`;
}

/** The same URL, fit for a log. Greedy, because a password that nobody encoded may itself hold an `@` or a `/`. */
export function redacted(url: string): string {
  return url.replace(
    /^([a-z][a-z0-9+.-]*:\/\/)(?:([^:@/]*):)?.*@/is,
    (_, scheme: string, username?: string) =>
      username === undefined ? `${scheme}[secret]@` : `${scheme}${username}:[secret]@`,
  );
}

/**
 * `host:port`, with the brackets that an IPv6 address needs. There is no spelling of one for redis-cli before 7.2,
 * node-redis 4, and node-redis 6 unless its `maintNotifications` is "disabled": they need an IPv4 address or a name.
 */
export function authority(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function path(database: number | undefined): string {
  return database === undefined ? "" : `/${database}`;
}

// Stricter than encodeURIComponent, which leaves !'()* as they are: they mean something to a shell.
function encoded(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9._~-]/.test(character)) return character;
    return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}
