import { ADMIN_USER } from "../../../core/access";
import { addressAsLeader } from "../../../core/as-leader";
import { Failure } from "../../../core/errors";
import type { AddonRecord } from "../../../core/facets";
import { asGiver } from "../../../core/hand-over";
import { desiredServer } from "../../../core/render";
import type { Task } from "../../../core/task";
import type { SwitchedOver } from "../../../platforms/contract";
import { readRecord } from "../../../platforms/local/records";
import type { RedisClient } from "../../../redis/client";
import { connectPatiently } from "../../../redis/connect-patiently";
import { prepareToBeLed } from "../../../redis/converge";
import { beforeAcknowledgement, beginFailover } from "../../../redis/failover";
import { guardWrites } from "../../../redis/write-guard";
import { probeWrites, readonlyAnswers } from "../../../redis/write-probe";
import { connectServer } from "../../connections/connect-server";
import { changeRecord } from "../../records/change-record";
import type { AgentService } from "../../service";
import { untilFit, untilFollowing } from "./hand-over-waits";
import { settleHandOver } from "./settle-hand-over";

interface HandOverRequest {
  /** Leads now. */
  readonly giver: string;
  /** Follows it now, and shall lead. */
  readonly receiver: string;
  readonly timeoutMs: number;
}

type Measured = NonNullable<Extract<SwitchedOver, { outcome: "switched-over" }>["measured"]>;

/** Beyond the time that the follower has for catching up: to say so, and for the two to exchange their roles. */
const SETTLE_MS = 5_000;

/**
 * Has one add-on give its role to its follower, both of which nobody else changes meanwhile, and returns once both are
 * as recorded and in sync. Whenever it fails the servers decide, and the records follow them: until the receiver's says
 * that it leads, the receiver takes no write.
 */
export async function handOver(
  service: AgentService,
  { giver, receiver, timeoutMs }: HandOverRequest,
  caller: Task,
): Promise<Measured> {
  const { supervisor } = service;
  for (const name of [giver, receiver]) await supervisor.place(name, caller);
  const target = await untilFit(service, { giver, receiver }, caller);
  // Half a switchover is nothing to leave behind: an agent that leaves is the only one to stop it.
  const task = { ...caller, signal: service.background.signal };
  let measured: Measured | undefined;
  try {
    using _ = supervisor.handOvers.begin([giver, receiver]);
    // What had begun to bring them to their records before would undo what comes now.
    for (const name of [giver, receiver]) await supervisor.quiet(name, task);
    caller.signal.throwIfAborted();
    measured = await exchangeRoles(service, { giver, receiver, timeoutMs, target }, task);
  } finally {
    await supervisor.handOvers.touchAll([giver, receiver]);
  }
  for (const name of [receiver, giver]) await supervisor.place(name, task);
  if (measured === undefined) throw notTakenOver(giver, receiver, timeoutMs);
  await untilFollowing(service.layout, { giver, receiver }, task);
  return measured;
}

interface Exchange extends HandOverRequest {
  /** The receiver, as the giver knows its follower. */
  readonly target: { readonly host: string; readonly port: number };
}

/** Absent: the receiver did not take over, and the giver leads as before. */
async function exchangeRoles(
  service: AgentService,
  { giver, receiver, timeoutMs, target }: Exchange,
  task: Task,
): Promise<Measured | undefined> {
  const { layout } = service;
  const [from, to] = await Promise.all([present(service, giver), present(service, receiver)]);
  await using old = await connectServer(from, task);
  await using next = await connectServer(to, task);
  const asFollower = desiredServer(asGiver(from, to), addressAsLeader(to));
  await prepareToBeLed(old, asFollower.users, addressAsLeader(to));
  const before = readonlyAnswers(await old.info());

  await using probed = await probeConnection(from, timeoutMs, task);
  await using probing = await probeConnection(to, timeoutMs, task);
  await guardWrites(next);
  const probe = probeWrites(probed, probing, task);
  try {
    await beforeAcknowledgement(old, target, task);
    const since = new Date(task.clock.now()).toISOString();
    await changeRecord(layout, giver, (record) => ({ ...record, handingOver: { to: receiver, since } }));
    const refused = await beginFailover(old, target, timeoutMs).then(
      () => undefined,
      (error: unknown) => error,
    );
    const options = { patienceMs: timeoutMs + SETTLE_MS, isOrphaned: refused !== undefined };
    const outcome = await settleHandOver(layout, giver, options, task);
    if (outcome !== "happened") {
      if (refused instanceof Failure) throw refused;
      return undefined;
    }
  } catch (error) {
    await probe.stop();
    throw error;
  }
  const { stallMs, readonlyMs, readonlyProbes } = await probe.stop();
  // Its server may be gone by now: then nobody counts for it any more.
  const answers = await old.info().then(readonlyAnswers, () => before + readonlyProbes);
  const readonlyTold = Math.max(0, answers - before - readonlyProbes);
  return { worstStallMs: stallMs, readonlyAnswers: readonlyTold, readonlyMs };
}

async function present({ layout }: AgentService, name: string): Promise<AddonRecord> {
  const record = await readRecord(layout, name);
  if (record === undefined) throw new Error(`the record of ${name} is gone`);
  return record;
}

/** Its commands may be held up for as long as the switchover lasts. */
function probeConnection(record: AddonRecord, timeoutMs: number, task: Task): Promise<RedisClient> {
  const { host, port } = addressAsLeader(record);
  const commandTimeoutMs = timeoutMs + 2 * SETTLE_MS;
  const password = record.credentials.adminPassword;
  return connectPatiently(
    { host, port, username: ADMIN_USER, password, subject: record.name, commandTimeoutMs },
    task,
  );
}

function notTakenOver(giver: string, receiver: string, timeoutMs: number): Failure {
  return new Failure({
    code: "not-switched-over",
    operation: "switch over from",
    subject: `${giver} to ${receiver}`,
    cause: `${receiver} did not have everything within ${timeoutMs} ms, or did not take over; ${giver} leads as before`,
    hint: "Try again when less is written, or look for what holds the follower's server up",
    transient: true,
  });
}
