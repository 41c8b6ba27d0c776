import { isDeepStrictEqual } from "node:util";
import { Failure } from "../../../core/errors";
import { followed, haltOf, type Followed } from "../../../core/followed";
import type { LeaderAddress } from "../../../core/render";
import type { Task } from "../../../core/task";
import { authority } from "../../../core/uri";
import type { RedisClient } from "../../../redis/client";
import { connectPatiently } from "../../../redis/connect-patiently";
import { isSet, totalKeys, type Info } from "../../../redis/info";
import { classifySync } from "../../../redis/sync-status";
import { heldConnections } from "../../connections/held-connections";
import { log } from "../../log";
import { armedCredentials, armedLinkTo, noteArmedLink, noteMistrust } from "./armed-link";
import type { SeenFollower } from "../watch/follower-watch";
import { leaderVerdict } from "./leader-verdict";

type Leader = Extract<Followed, { kind: "external" }>;
type Credentials = Pick<LeaderAddress, "username" | "password">;

const TIMEOUT_MS = 3_000;
/** Between two looks at a leader that can't be followed now: each is a connection to it. */
const PAUSE_MS = 1_000;
/** Until it is tried again whether a leader can be guarded against that could not. */
const LONG_PAUSE_MS = 60_000;

/**
 * Keeps followers from copying a leader elsewhere that came back without its data.
 *
 * Redis follows whoever answers, within milliseconds. So once a follower is in sync its server is given credentials that
 * let it in nowhere: the link that it has stays, and one that it lost is not made again before the leader was looked at.
 */
export class LeaderGuard {
  /** By add-on and leader, the earliest time of the next look. */
  readonly #next = new Map<string, number>();

  async look(seen: SeenFollower, task: Task): Promise<void> {
    const { record, info } = seen;
    const target = followed(record);
    if (target?.kind !== "external" || haltOf(record) !== undefined) return;
    if (info.get("role") !== "slave" || isSet(info, "loading") || isSet(info, "master_sync_in_progress"))
      return;
    const key = `${record.name} ${authority(target.host, target.port)}`;
    const pauseMs = (this.#next.get(key) ?? 0) - task.clock.now();
    // A clock that was set back must not make the pause longer than it was meant.
    if (pauseMs > 0 && pauseMs <= LONG_PAUSE_MS) return;
    const wait =
      info.get("master_link_status") === "up"
        ? await linked(seen, target, task)
        : await unlinked(seen, target, task);
    this.#next.set(key, task.clock.now() + wait);
  }
}

/** Arms a link that is in sync, or was. Returns how long nothing is to be looked at again, in milliseconds. */
async function linked(seen: SeenFollower, target: Leader, task: Task): Promise<number> {
  const { client, info, layout, record } = seen;
  const note = await armedLinkTo(layout, record.name, target);
  if (note !== undefined) {
    await logInWith(client, armedCredentials(note));
    return 0;
  }
  // Until it has been in sync for the first time it has nothing that is worth keeping from its leader.
  const sync = classifySync({ follower: info });
  if (sync.state !== "synced" || !sync.durable) return 0;
  const obstacle = await guardObstacle(target, info, task);
  if (obstacle !== undefined) return obstacle === "may-pass" ? PAUSE_MS : LONG_PAUSE_MS;
  await logInWith(client, armedCredentials(await noteArmedLink(layout, record.name, target)));
  log(`${record.name}: it won't follow ${shown(target)} again without a look at what that one holds`);
  return 0;
}

/** Why a link can't be armed: the leader doesn't show what it holds, or lets in whoever isn't known to it. */
async function guardObstacle(
  target: Leader,
  follower: Info,
  task: Task,
): Promise<"may-pass" | "lasting" | undefined> {
  const leader = await infoOf(target, task);
  if (leader === "refused") return "lasting";
  // Nor when another server has taken its address since.
  if (leader?.get("master_replid") !== follower.get("master_replid")) return "may-pass";
  const stranger = { ...target, ...armedCredentials({ password: "nobody's" }) };
  try {
    await using _ = await connect(stranger, task);
    return "lasting";
  } catch (error) {
    return codeOf(error) === "wrong-password" ? undefined : "may-pass";
  }
}

/** Has the server log in again where its leader may be followed. Returns as `linked` does. */
async function unlinked(seen: SeenFollower, target: Leader, task: Task): Promise<number> {
  const { client, info, layout, record } = seen;
  const { name } = record;
  const note = await armedLinkTo(layout, name, target);
  const leader = note && (await infoOf(target, task));
  // Told to follow another one meanwhile: that one mustn't be given this one's password.
  if (!isDeepStrictEqual(followedNow(name), target)) return 0;
  if (note === undefined) {
    // Where it was forgotten since the link was armed.
    await logInWith(client, target);
    return 0;
  }
  const found = judged(leader, info, { name, target });
  if (found !== "follow") await logInWith(client, armedCredentials(note));
  if (found === "wait") return PAUSE_MS;
  const why = found === "follow" ? undefined : found.why;
  if (why !== note.why) await noteMistrust(layout, name, why);
  if (why !== undefined) {
    if (note.why === undefined) log(`${name}: ${why}`);
    return PAUSE_MS;
  }
  if (note.why !== undefined) log(`${name}: ${shown(target)} has its data back`);
  if (await logInWith(client, target)) log(`${name}: follows ${shown(target)} again`);
  return 0;
}

function judged(
  leader: Info | "refused" | undefined,
  follower: Info,
  { name, target }: { readonly name: string; readonly target: Leader },
): "follow" | "wait" | { readonly why: string } {
  if (leader === undefined) return "wait";
  const kept = `it keeps them and follows nobody until somebody says: redis-addon follower resync ${name}; or promote it`;
  if (leader === "refused")
    return {
      why:
        `${shown(target)} doesn't show its INFO any more, so nobody can tell whether it has its data; ` +
        `this add-on holds ${counted(totalKeys(follower))}: ${kept}`,
    };
  const verdict = leaderVerdict(leader, follower);
  if (verdict.kind !== "lost") return verdict.kind;
  const [there, here] = [counted(verdict.leaderKeys), counted(verdict.followerKeys)];
  return { why: `${shown(target)} came back with ${there}, this add-on holds ${here}: ${kept}` };
}

/** Both in one step, and only where they differ. A link that is up stays up. */
async function logInWith(client: RedisClient, { username = "", password }: Credentials): Promise<boolean> {
  const now = await client.config("masteruser", "masterauth");
  if (now.get("masteruser") === username && now.get("masterauth") === password) return false;
  await client.command("CONFIG", "SET", "masteruser", username, "masterauth", password);
  return true;
}

/** What the leader says of itself; absent where it doesn't answer, or lets nobody in. */
async function infoOf(target: Leader, task: Task): Promise<Info | "refused" | undefined> {
  try {
    await using client = await connect(target, task);
    return await client.info();
  } catch (error) {
    task.signal.throwIfAborted();
    return codeOf(error) === "not-permitted" ? "refused" : undefined;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Failure ? error.code : undefined;
}

function followedNow(name: string): Followed | undefined {
  const record = heldConnections().get(name)?.record;
  return record && followed(record);
}

function connect(leader: LeaderAddress, task: Task): Promise<RedisClient> {
  const timeouts = { connectTimeoutMs: TIMEOUT_MS, commandTimeoutMs: TIMEOUT_MS };
  return connectPatiently({ ...leader, ...timeouts, operation: "follow" }, task, TIMEOUT_MS);
}

function shown({ host, port }: Leader): string {
  return `the leader ${authority(host, port)}`;
}

function counted(keys: number): string {
  return `${keys.toLocaleString("en-US")} ${keys === 1 ? "key" : "keys"}`;
}
