import { excessConnections, type ListedConnection } from "../core/excess-connections";
import type { RedisClient } from "./client";
import { numberIn, parseInfo } from "./info";

/** The server goes through all its clients for each one that it closes: between two such batches it serves others. */
const CLOSED_AT_ONCE = 64;

interface ThinnedOut {
  /** Connections of all kinds before it closed any, ours left out. */
  readonly connected: number;
  readonly closed: number;
  /** Users have, or may soon have, more connections than they may. */
  readonly lookAgain: boolean;
  /** Of all that were connected; 0: it didn't look. */
  readonly newestId: number;
}

/**
 * Closes the newest connections of users above the `allowed` ones. Costs the server next to nothing while there are no
 * more connections than that. `knownUpTo`: those up to this id have had the time to log in. The client must be the
 * administrator's.
 */
export async function closeExcess(
  client: RedisClient,
  { allowed, knownUpTo }: { readonly allowed: number; readonly knownUpTo: number },
): Promise<ThinnedOut> {
  const info = parseInfo(String(await client.command("INFO", "clients")));
  // Ours is one of them, and replicas are not.
  const connected = (numberIn(info, "connected_clients") ?? 1) - 1;
  if (connected <= allowed) return { connected, closed: 0, lookAgain: false, newestId: 0 };
  const most = numberIn(info, "maxclients") ?? connected + 1;
  const listed = parseClientList(String(await client.command("CLIENT", "LIST")));
  const { close, lookAgain } = excessConnections(listed, { allowed, most, knownUpTo });
  let closed = 0;
  for (let first = 0; first < close.length; first += CLOSED_AT_ONCE) {
    const batch = close.slice(first, first + CLOSED_AT_ONCE);
    const answers = await Promise.all(batch.map((connection) => closeOne(client, connection)));
    closed += answers.reduce((sum, answer) => sum + answer, 0);
  }
  return {
    connected,
    closed,
    lookAgain,
    newestId: listed.reduce((newest, { id }) => Math.max(newest, id), 0),
  };
}

/** Only while it still is what was listed: it may have logged in as one of ours, or begun to follow, since. */
async function closeOne(client: RedisClient, { id, user, kind }: ListedConnection): Promise<number> {
  const type = kind === "subscriber" ? "pubsub" : "normal";
  return Number(await client.command("CLIENT", "KILL", "ID", id, "USER", user, "TYPE", type));
}

/** CLIENT LIST's answer. Its values hold no spaces: Redis refuses names with any. */
export function parseClientList(text: string): ListedConnection[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.startsWith("id="))
    .map((line) => {
      const fields = new Map(line.split(" ").map((field) => splitOnce(field)));
      const flags = fields.get("flags") ?? "";
      const command = fields.get("cmd") ?? "";
      return {
        id: Number(fields.get("id")),
        user: fields.get("user") ?? "",
        kind: kindOf(flags),
        ageSeconds: Number(fields.get("age") ?? 0),
        silent: command === "NULL" || command === "ping",
      };
    });
}

function kindOf(flags: string): ListedConnection["kind"] {
  if (flags.includes("M")) return "leader";
  if (flags.includes("S")) return "replica";
  return flags.includes("P") ? "subscriber" : "user";
}

function splitOnce(field: string): readonly [string, string] {
  const equals = field.indexOf("=");
  return [field.slice(0, equals), field.slice(equals + 1)];
}
