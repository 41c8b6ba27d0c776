/** What a backup's manifest wants to know from INFO. */
export interface ServerInfo {
  readonly name: "redis" | "valkey";
  readonly version: string;
  readonly usedMemoryBytes: number | undefined;
  /** By database number, as text; databases without keys are absent. */
  readonly databases: Readonly<Record<string, { readonly keys: number; readonly expires: number }>>;
}

/** Undefined where the text names no server version. */
export function parseServerInfo(text: string): ServerInfo | undefined {
  const fields = new Map<string, string>();
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0 && !line.startsWith("#")) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  // Valkeys report a redis_version too, that of the Redis they descend from.
  const valkey = fields.get("valkey_version");
  const version = valkey ?? fields.get("redis_version");
  if (version === undefined) return undefined;
  const usedMemory = Number(fields.get("used_memory"));
  return {
    name: valkey === undefined ? "redis" : "valkey",
    version,
    usedMemoryBytes: Number.isSafeInteger(usedMemory) ? usedMemory : undefined,
    databases: keyspace(fields),
  };
}

function keyspace(fields: ReadonlyMap<string, string>) {
  const databases: Record<string, { keys: number; expires: number }> = {};
  for (const [name, value] of fields) {
    const index = /^db(\d+)$/.exec(name)?.[1];
    const [, keys, expires] = /^keys=(\d+),expires=(\d+)/.exec(value) ?? [];
    if (index !== undefined && keys !== undefined)
      databases[index] = { keys: Number(keys), expires: Number(expires) };
  }
  return databases;
}
