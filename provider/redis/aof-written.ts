import { isSet, numberIn, type Info } from "./info";

/** Where the AOF's file has to end for it to hold all that a server had at one moment. */
export interface AofMark {
  readonly sizeBytes: number;
  /** How often the AOF was written anew until then: each time its size is another. */
  readonly rewrites: number;
}

/**
 * What a server has now. It writes to its AOF after each command, but while the disk is slow or full what it should
 * have written stays in its memory, where a kill -9 ends it.
 */
export function aofMark(info: Info): AofMark {
  return {
    sizeBytes: (numberIn(info, "aof_current_size") ?? 0) + (numberIn(info, "aof_buffer_length") ?? 0),
    rewrites: rewrites(info),
  };
}

/** Whether the AOF's file holds all that the server had at that mark; absent: that mark tells nothing any more. */
export function hasReached(info: Info, mark: AofMark): boolean | undefined {
  if (!isSet(info, "aof_enabled")) return true;
  if (rewrites(info) !== mark.rewrites) return undefined;
  return (numberIn(info, "aof_current_size") ?? 0) >= mark.sizeBytes;
}

/** Whether the server failed to write its AOF when it last tried: Redis itself tries again. */
export function failsToWrite(info: Info): boolean {
  if (!isSet(info, "aof_enabled")) return false;
  return info.get("aof_last_bgrewrite_status") !== "ok" || info.get("aof_last_write_status") !== "ok";
}

function rewrites(info: Info): number {
  return numberIn(info, "aof_rewrites") ?? 0;
}
