import type { Task } from "../core/task";
import { LOG_SOURCES, type LogExcerpt, type LogSource, type Platform } from "../platforms/contract";
import { noSuchAddon } from "./no-such-addon";

/** How many lines are read unless somebody says otherwise, and at most. */
export const USUAL_LOG_LINES = 200;
export const MOST_LOG_LINES = 10_000;

const FOLLOW_POLL_MS = 500;

export interface LogWish {
  /** `USUAL_LOG_LINES` unless given; more than `MOST_LOG_LINES` are never read. */
  readonly lines?: number | undefined;
  /** All unless given. */
  readonly sources?: readonly LogSource[] | undefined;
}

/** The newest lines about an add-on, of its server and of the agent. Fails with `no-such-addon`. Changes nothing. */
export async function readLog(platform: Platform, name: string, wish: LogWish): Promise<LogExcerpt> {
  const newest = Math.min(wish.lines ?? USUAL_LOG_LINES, MOST_LOG_LINES);
  const read = await platform.log(name, { sources: wish.sources ?? LOG_SOURCES, lines: { newest } });
  if (read !== undefined) return read;
  throw await noSuchAddon(platform, name, "Another data home is named with --home or REDIS_ADDON_HOME");
}

/**
 * The same, and then what is written after it, as it comes, until the signal or until the add-on is deleted. With
 * `after`, the `end` of an earlier excerpt, it goes on from there.
 */
export async function* followLog(
  platform: Platform,
  name: string,
  wish: LogWish & { readonly after?: string | undefined },
  { signal, clock }: Pick<Task, "signal" | "clock">,
): AsyncGenerator<LogExcerpt> {
  const sources = wish.sources ?? LOG_SOURCES;
  let { after } = wish;
  if (after === undefined) {
    const first = await readLog(platform, name, wish);
    after = first.end;
    yield first;
  }
  while (!signal.aborted) {
    const read = await platform.log(name, { sources, lines: { after } });
    if (read === undefined) return;
    after = read.end;
    if (read.lines.length > 0) yield read;
    await clock.sleep(FOLLOW_POLL_MS, signal).catch(() => undefined);
  }
}
