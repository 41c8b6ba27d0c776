import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../../core/task";

const VALID_MS = 10 * 60_000;
const MOST = 100;

/** Single-use tokens for the address that the command line prints. */
export interface LoginTokens {
  mint(): string;
  /** True once for each token, while it is fresh. */
  redeem(token: string): boolean;
  /** Whether there is one that is still fresh. */
  areAwaited(): boolean;
}

export function loginTokens(clock: Clock): LoginTokens {
  // By digest: a lookup by the token itself would take longer the more of it is right.
  const known = new Map<string, number>();
  return {
    mint() {
      const token = randomBytes(32).toString("base64url");
      known.set(digest(token), clock.now() + VALID_MS);
      const oldest = known.keys().next().value;
      if (known.size > MOST && oldest !== undefined) known.delete(oldest);
      return token;
    },
    redeem(token) {
      const key = digest(token);
      const until = known.get(key);
      known.delete(key);
      return until !== undefined && clock.now() < until;
    },
    areAwaited: () => [...known.values()].some((until) => clock.now() < until),
  };
}

function digest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
