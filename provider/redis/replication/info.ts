import { versionFromInfo } from "../../core/version";
import { numberIn, pairsIn, parseInfo, type Info } from "../info";

/** What a backup's manifest wants to know from INFO. */
export interface ServerInfo {
  readonly name: "redis" | "valkey";
  readonly version: string;
  readonly usedMemoryBytes: number | undefined;
  /** The part of it that the data take: the nearest to a snapshot's size that there is beforehand. */
  readonly datasetBytes: number | undefined;
  /** By database number, as text; databases without keys are absent. */
  readonly databases: Readonly<Record<string, { readonly keys: number; readonly expires: number }>>;
}

/** Undefined where the text names no server version. */
export function parseServerInfo(text: string): ServerInfo | undefined {
  const info = parseInfo(text);
  const server = versionFromInfo(info);
  if (server === undefined) return undefined;
  return {
    name: server.flavor,
    version: server.version,
    usedMemoryBytes: numberIn(info, "used_memory"),
    datasetBytes: numberIn(info, "used_memory_dataset"),
    databases: keyspace(info),
  };
}

function keyspace(info: Info) {
  const databases: Record<string, { keys: number; expires: number }> = {};
  for (const [name, value] of info) {
    const index = /^db(\d+)$/.exec(name)?.[1];
    if (index === undefined) continue;
    const pairs = pairsIn(value);
    databases[index] = { keys: Number(pairs.get("keys") ?? 0), expires: Number(pairs.get("expires") ?? 0) };
  }
  return databases;
}
