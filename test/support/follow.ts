import type { ReplicationWish } from "../../provider/core/facets";
import { replicate, type Replicated } from "../../provider/operations/replicate";
import type { TestHome } from "./data-home";

interface Follows {
  readonly name: string;
  /** An add-on of the same data home, or an address. */
  readonly leader: string | Extract<ReplicationWish, { kind: "external" }>;
  readonly position?: "promoted" | "switched-over";
  readonly replaceData?: boolean;
  /** Of the instance that is created; `f1` unless given. */
  readonly token?: string;
  readonly deadlineMs?: number;
}

/** What a RedisFollower of a program does. */
export function follows(
  home: TestHome,
  { name, leader, position, replaceData = false, token = "f1", deadlineMs = 50_000 }: Follows,
): Promise<Replicated> {
  const placed = position === undefined ? {} : { position };
  const wish = (
    typeof leader === "string" ? { kind: "addon", addon: leader, ...placed } : { ...leader, ...placed }
  ) as ReplicationWish;
  const caller = { project: "shop", stack: "dev" };
  const claim = { kind: "create", token, caller } as const;
  return replicate(home.platform, { name, claim, wish, given: [], replaceData, deadlineMs }, home.task);
}
