import { randomBytes } from "node:crypto";
import type { Clock } from "../../core/task";

const IDLE_MS = 12 * 3_600_000;
const MOST = 100;

/** Who has logged in, for as long as the console runs. */
export interface Sessions {
  begin(): string;
  /** Whether there is such a session; using it keeps it. */
  touch(id: string): boolean;
  end(id: string): void;
}

export function sessions(clock: Clock): Sessions {
  const lastUsedAt = new Map<string, number>();
  return {
    begin() {
      const id = randomBytes(32).toString("base64url");
      lastUsedAt.set(id, clock.now());
      const oldest = lastUsedAt.keys().next().value;
      if (lastUsedAt.size > MOST && oldest !== undefined) lastUsedAt.delete(oldest);
      return id;
    },
    touch(id) {
      const at = lastUsedAt.get(id);
      if (at === undefined) return false;
      lastUsedAt.delete(id);
      if (clock.now() - at >= IDLE_MS) return false;
      lastUsedAt.set(id, clock.now());
      return true;
    },
    end: (id) => void lastUsedAt.delete(id),
  };
}
