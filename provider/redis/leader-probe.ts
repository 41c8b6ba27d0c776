import { asFailure, Failure, type FailureReport } from "../core/errors";
import type { LeaderAddress } from "../core/render";
import type { Task } from "../core/task";
import { authority } from "../core/uri";
import type { RedisClient } from "./client";
import { connectPatiently } from "./connect-patiently";
import type { Info } from "./info";

/** A leader as it looks from here, connected to as its follower would. */
type LeaderProbe =
  | { readonly kind: "ready"; readonly info: Info | undefined; readonly databases: number | undefined }
  | { readonly kind: "failed"; readonly failure: Failure };

/**
 * Why a follower can't have its link, or that it could: the follower itself only says that the link is down. Nothing
 * that is sent starts a replication.
 */
export async function probeLeader(
  leader: LeaderAddress,
  task: Pick<Task, "signal"> & Partial<Pick<Task, "clock">>,
  timeoutMs = 5_000,
): Promise<LeaderProbe> {
  const subject = `the leader ${authority(leader.host, leader.port)}`;
  const timeouts = { connectTimeoutMs: timeoutMs, commandTimeoutMs: timeoutMs };
  try {
    const target = { ...leader, subject, operation: "follow", ...timeouts };
    await using client = await connectPatiently(target, task, timeoutMs);
    const info = await permitted(client.info());
    if (!(await mayFollow(client)))
      throw new Failure({
        code: "leader-refuses-psync",
        operation: "follow",
        subject,
        cause: "the user that was given may not replicate from it",
        hint: "Allow it PSYNC, SYNC and REPLCONF (ACL SETUSER <user> +psync +sync +replconf), or give another user",
      });
    const databases = await permitted(client.config("databases"));
    const count = Number(databases?.get("databases"));
    return { kind: "ready", info, databases: Number.isInteger(count) ? count : undefined };
  } catch (error) {
    task.signal.throwIfAborted();
    return { kind: "failed", failure: asFailure(error, "follow", subject) };
  }
}

async function mayFollow(client: RedisClient): Promise<boolean> {
  if ((await permitted(client.command("REPLCONF", "capa", "psync2"))) === undefined) return false;
  try {
    // Since 6.2 a server takes this for a failover that it hasn't asked for, and answers with an error; rights come
    // first. "?" is no replication id, so no follower promotes itself either.
    await client.command("PSYNC", "?", "-1", "FAILOVER");
    return true;
  } catch (error) {
    if (codeOf(error) === "not-permitted") return false;
    if (codeOf(error) === "redis-error") return true;
    throw error;
  }
}

/** The answer, or nothing where the user may not ask. */
async function permitted<Answer>(question: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await question;
  } catch (error) {
    if (codeOf(error) === "not-permitted") return undefined;
    throw error;
  }
}

function codeOf(error: unknown): FailureReport["code"] | undefined {
  return error instanceof Failure ? error.code : undefined;
}
