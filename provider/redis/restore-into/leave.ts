import { asFailure, Failure } from "../../core/errors";
import { heldWords, holdsAnything, type HeldData } from "../../core/held-data";
import { NOBODY } from "../../core/render";
import type { Task } from "../../core/task";
import type { RedisClient } from "../client";
import { heldData } from "../info";
import { lastLoadFailed } from "../last-load";
import { stopFollowing } from "../promote";
import { waitLoaded } from "../wait-loaded";
import { type Before, LET_GO, putBack } from "./lead";

/** How a server was left after a restore that failed. */
export interface Left {
  /**
   * `as-before`: with its own data, and following nobody. `replaced`: with those that were sent. `emptied`: with none.
   * `restart-needed`: with none in its memory, and its own in its AOF. `unknown`: it may still follow us.
   */
  readonly state: "as-before" | "replaced" | "emptied" | "restart-needed" | "unknown";
  /** A sentence without a full stop. */
  readonly words: string;
  /** What a person has to do; empty: nothing. */
  readonly hint: string;
}

const COME_BACK_MS = 10_000;
const RETRY_MS = 250;

interface Leaving {
  readonly connect: () => Promise<RedisClient>;
  readonly before: Before;
  /** What it held. */
  readonly held: HeldData;
  /** Ours: who has loaded our snapshot has it as its own. */
  readonly replicationId: string;
}

/**
 * Lets a server go that was told to follow us, as well as can be: its users may write again, and nothing of ours is
 * left on it. Where its last load failed and it has an AOF it is not promoted, which would write the empty memory over
 * the only data that are left. Never throws.
 */
export async function leave({ connect, before, held, replicationId }: Leaving, task: Task): Promise<Left> {
  try {
    await using client = await comeBack(connect, task);
    await waitLoaded(client, task);
    if (await lastLoadFailed(client, await client.info())) return await toRestart(client, before);
    await stopFollowing(client, task);
    await putBack(client, before);
    // Once it leads again it tells whose history its own goes on from.
    const after = await client.info();
    const hasLoaded = ["master_replid", "master_replid2"].some((field) => after.get(field) === replicationId);
    return judge(heldData(after), held, hasLoaded);
  } catch (error) {
    if (error instanceof Failure && error.code === "load-failed") return RESTART;
    const { cause } = asFailure(error, "restore into", "it");
    return {
      state: "unknown",
      words: `it could not be put back as it was (${cause}), and may still follow this machine, where nothing answers`,
      hint: `Once it answers again, see whether it follows (INFO replication); if so, run on it: ${LET_GO}`,
    };
  }
}

/** One that is being restarted is back in a moment. */
async function comeBack(connect: () => Promise<RedisClient>, task: Task): Promise<RedisClient> {
  for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
    try {
      return await connect();
    } catch (error) {
      if (!(error instanceof Failure) || !error.transient || waitedMs >= COME_BACK_MS) throw error;
    }
    await task.clock.sleep(RETRY_MS, task.signal);
  }
}

const RESTART: Left = {
  state: "restart-needed",
  words:
    "its memory is empty, and its data from before are in its AOF alone; it was not promoted, which would overwrite that",
  hint: "Restart it as it was started: it loads its AOF, and leads again. Until then don't run REPLICAOF NO ONE on it",
};

async function toRestart(client: RedisClient, before: Before): Promise<Left> {
  // Nobody listens there, so that nothing is loaded and nobody is told a password.
  await client.command("REPLICAOF", NOBODY.host, NOBODY.port);
  await putBack(client, before);
  return RESTART;
}

function judge(now: HeldData, held: HeldData, hasLoaded: boolean): Left {
  const hint = "";
  if (hasLoaded)
    return {
      state: "replaced",
      words: `it follows nobody again, and holds the backup's data: ${heldWords(now)}`,
      hint,
    };
  if (holdsAnything(held) && !holdsAnything(now))
    return { state: "emptied", words: "it follows nobody again, and its data are gone", hint };
  return {
    state: "as-before",
    words: `it was put back as it was: it follows nobody, and holds ${heldWords(now)}; nothing was replaced`,
    hint,
  };
}
