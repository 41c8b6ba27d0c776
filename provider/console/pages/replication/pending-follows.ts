import { randomUUID } from "node:crypto";
import type { Clock } from "../../../core/task";
import type { PersonsFollowing } from "../../../operations/follow-by-person";

/** From what was typed until it is confirmed. */
const KEPT_MS = 10 * 60_000;
/** The oldest make room. */
const MOST = 50;

/** What was typed and not confirmed yet: it holds a password, which no page may hold meanwhile. */
export interface PendingFollows {
  /** Keeps it for who has this session, and returns the name of it, which nobody can guess. */
  keep(session: string, following: PersonsFollowing): string;
  /** What was kept for this session and add-on, once; absent: it was not, or it was taken, or too long ago. */
  take(id: string, session: string, addon: string): PersonsFollowing | undefined;
}

export function pendingFollows(clock: Clock): PendingFollows {
  const kept = new Map<
    string,
    { readonly session: string; readonly following: PersonsFollowing; readonly at: number }
  >();
  const forgetOld = (): void => {
    for (const [id, { at }] of kept) if (Math.abs(clock.now() - at) >= KEPT_MS) kept.delete(id);
  };
  return {
    keep(session, following) {
      forgetOld();
      for (const oldest of kept.keys()) {
        if (kept.size < MOST) break;
        kept.delete(oldest);
      }
      const id = randomUUID();
      kept.set(id, { session, following, at: clock.now() });
      return id;
    },
    take(id, session, addon) {
      forgetOld();
      const found = kept.get(id);
      if (found?.session !== session || found.following.name !== addon) return undefined;
      kept.delete(id);
      return found.following;
    },
  };
}
