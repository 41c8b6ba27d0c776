import { planOf } from "../../../core/plans";
import type { AddonStatus } from "../../../core/status";
import { connectionWords, memoryWords } from "../../../operations/words/usage-words";
import { html, type Html } from "../../html";
import { meter } from "./meter";

/** Redis refuses or evicts before the last byte is used: what comes next has to fit. */
const FULL_SHARE = 0.99;

/** Whether there is no room but that of other keys. */
function isFull({ server, wish }: AddonStatus): boolean {
  return server.state === "running" && server.memoryUsedBytes >= planOf(wish.plan).memoryBytes * FULL_SHARE;
}

/** Whether writes are refused for want of memory. */
export function refusesWrites(status: AddonStatus): boolean {
  return isFull(status) && status.wish.evictionPolicy === "noeviction";
}

/** Memory against the plan's; `-` where the server doesn't tell. */
export function memoryUsage(status: AddonStatus): Html | string {
  const { name, server, wish } = status;
  const share = memoryWords(status);
  if (server.state !== "running") return share;
  const { memoryBytes } = planOf(wish.plan);
  const refuses = wish.evictionPolicy === "noeviction";
  const full = refuses
    ? html`${share}, <strong>full: writes that need more are refused</strong>`
    : `${share}, full: keys make room`;
  return meter({
    label: `Memory of ${name}`,
    used: server.memoryUsedBytes,
    limit: memoryBytes,
    words: isFull(status) ? full : share,
    // A cache that evicts is meant to be full.
    isTightWhenFull: refuses,
  });
}

/** Connections against the plan's; `-` where the server doesn't tell. */
export function connectionUsage(status: AddonStatus): Html | string {
  const { name, server, wish } = status;
  const words = connectionWords(status);
  if (server.state !== "running") return words;
  const { connections } = planOf(wish.plan);
  return meter({
    label: `Connections of ${name}`,
    used: server.connections,
    limit: connections,
    words,
    isTightWhenFull: true,
  });
}
