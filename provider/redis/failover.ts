import type { Standing } from "../core/hand-over";
import type { Task } from "../core/task";
import type { RedisClient } from "./client";
import { parseInfo, type Info } from "./info";
import { observationFrom } from "./observe";

const NO_FAILOVER = "no-failover";
/** How often a follower says how far it is. */
const ACKNOWLEDGE_EVERY_MS = 1_000;
/** For the intent to be recorded, for what is written until then to arrive, and for a follower that is a little early. */
const AHEAD_MS = 80;
const POLL_MS = 5;

/** How a server that answers stands to its role; `INFO replication` is answered while writes are held up. */
export async function standingOf(client: RedisClient): Promise<Exclude<Standing, "silent" | "down">> {
  return standingIn(await replicationInfo(client));
}

export function standingIn(info: Info): Exclude<Standing, "silent" | "down"> {
  // While it gives its role away it calls itself a follower before the other one has agreed.
  if ((info.get("master_failover_state") ?? NO_FAILOVER) !== NO_FAILOVER) return "failing-over";
  return info.get("role") === "slave" ? "follows" : "leads";
}

/**
 * Waits for the moment just before a follower says how far it is, which is once a second: a failover has to wait for the
 * next time that it does, with writes held up. Where nothing is written it says nothing new, and there is nothing to wait
 * for.
 */
export async function beforeAcknowledgement(
  leader: RedisClient,
  target: { readonly host: string; readonly port: number },
  task: Pick<Task, "clock" | "signal">,
): Promise<void> {
  const acknowledged = async () =>
    observationFrom(await replicationInfo(leader)).followers.find(
      ({ host, port }) => host === target.host && port === target.port,
    )?.offset;
  const first = await acknowledged();
  for (let waitedMs = 0; (await acknowledged()) === first; waitedMs += POLL_MS) {
    if (waitedMs > ACKNOWLEDGE_EVERY_MS) return;
    await task.clock.sleep(POLL_MS, task.signal);
  }
  await task.clock.sleep(ACKNOWLEDGE_EVERY_MS - AHEAD_MS, task.signal);
}

/**
 * Has a leader give its role to one of its followers: it holds writes up, waits until that one has everything, and
 * follows it. Returns once that has begun. If the follower hasn't caught up in time, all stays as it was.
 */
export async function beginFailover(
  leader: RedisClient,
  target: { readonly host: string; readonly port: number },
  timeoutMs: number,
): Promise<void> {
  await leader.command("FAILOVER", "TO", target.host, target.port, "TIMEOUT", timeoutMs);
}

/** The leader keeps its role and takes writes again. Too late, or nothing to abort: nothing. */
export async function abortFailover(leader: RedisClient): Promise<void> {
  await leader.command("FAILOVER", "ABORT").catch(() => undefined);
}

async function replicationInfo(client: RedisClient): Promise<Info> {
  return parseInfo(String(await client.command("INFO", "replication")));
}
