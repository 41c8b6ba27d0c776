import { ADMIN_USER } from "../../../core/access";
import { Failure } from "../../../core/errors";
import type { AddonRecord } from "../../../core/facets";
import { asGiver, asReceiver, hasReceived, handOverVerdict, withoutIntent } from "../../../core/hand-over";
import { liveSettings } from "../../../core/settings";
import type { Task } from "../../../core/task";
import type { HomeLayout } from "../../../platforms/local/home";
import { readRecord } from "../../../platforms/local/records";
import type { RedisClient } from "../../../redis/client";
import { abortFailover } from "../../../redis/failover";
import { takeWrites, WRITE_GUARD } from "../../../redis/write-guard";
import { log } from "../../log";
import { changeRecord } from "../../records/change-record";
import { forgetDataMark } from "../lineage/data-mark";
import { connectBriefly, standingNow } from "./hand-over-evidence";

/** A failover lasts a fraction of a second: each look later is a moment longer without writes. */
const POLL_MS = 4;

interface SettleOptions {
  /** How long a failover that is under way may go on before it is aborted, and a server may be silent. */
  readonly patienceMs: number;
  /** Begun by somebody else, an agent that was killed: what it sent may still be on its way. */
  readonly isOrphaned: boolean;
}

/**
 * Finds out from the servers whether a hand-over that is recorded on `giverName` has happened, waits while it is under
 * way, and completes the records. Absent: none is recorded. Throws (`switchover-unsettled`) where a server's silence
 * leaves it open: then nobody may launch or change either of the two.
 */
export async function settleHandOver(
  layout: HomeLayout,
  giverName: string,
  { patienceMs, isOrphaned }: SettleOptions,
  task: Task,
): Promise<"happened" | "did-not-happen" | undefined> {
  const startedAt = task.clock.now();
  // What a killed agent has sent last must not begin a failover after the look that decides.
  let isListening = isOrphaned;
  for (;;) {
    task.signal.throwIfAborted();
    const giver = await readRecord(layout, giverName);
    if (giver?.handingOver === undefined) return undefined;
    const receiver = await readRecord(layout, giver.handingOver.to);
    if (receiver === undefined) return keepRole(layout, giver);

    const isOverdue = Math.abs(task.clock.now() - startedAt) >= patienceMs;
    // In this order: once the giver follows, the receiver has been leading for longer.
    const givers = await standingNow(layout, giver, task);
    const receivers = await standingNow(layout, receiver, task);
    const verdict = handOverVerdict({
      isRecorded: hasReceived(giver, receiver),
      giver: givers,
      wasAborted: giver.handingOver.aborted === true,
      giverKeepsData: giver.server.wish.persistence !== "none",
      receiver: receivers,
      isOverdue,
    });
    if (isListening && verdict !== "happened" && givers !== "down") {
      await hangUp(giver, task);
      isListening = false;
      continue;
    }
    if (verdict === "happened") return giveRole(layout, giver, receiver, task);
    if (verdict === "did-not-happen") return keepRole(layout, giver);
    if (verdict === "abort") await takeBack(layout, giver, task);
    else if (isOverdue) throw unsettled(giver, receiver, givers === "silent" ? giver : receiver);
    await task.clock.sleep(POLL_MS, task.signal);
  }
}

/** Recorded first: whoever finds the giver dead must know that it may have taken writes. */
async function takeBack(layout: HomeLayout, giver: AddonRecord, task: Task): Promise<void> {
  await changeRecord(layout, giver.name, ({ handingOver, ...rest }) =>
    handingOver === undefined ? rest : { ...rest, handingOver: { ...handingOver, aborted: true } },
  );
  await onServer(giver, task, abortFailover);
}

async function keepRole(layout: HomeLayout, giver: AddonRecord): Promise<"did-not-happen"> {
  await changeRecord(layout, giver.name, withoutIntent);
  log(`${giver.name}: it stays the leader: its switchover did not happen`);
  return "did-not-happen";
}

/** One write decides; what comes after it is done again by whoever finds only that one. */
async function giveRole(
  layout: HomeLayout,
  giver: AddonRecord,
  receiver: AddonRecord,
  task: Task,
): Promise<"happened"> {
  const leader = await changeRecord(layout, receiver.name, (present) => asReceiver(giver, present));
  // Its place in the queue of changes comes later: users wait for this.
  if (leader !== undefined) await onServer(leader, task, (server) => takeWrites(server, wishedGuard(leader)));
  await changeRecord(layout, giver.name, (present) => asGiver(present, receiver));
  // What was known of earlier data of theirs says nothing about those that they share.
  for (const { name } of [receiver, giver]) await forgetDataMark(layout.addon(name));
  log(`${receiver.name}: it leads now, and ${giver.name} follows it`);
  return "happened";
}

function wishedGuard(record: AddonRecord): string {
  return liveSettings(record).find(({ name }) => name === WRITE_GUARD)?.values[0] ?? "0";
}

/** Nobody else's commands are read any more: connections that administrators had are closed. */
async function hangUp(giver: AddonRecord, task: Task): Promise<void> {
  await onServer(giver, task, (server) =>
    server.command("CLIENT", "KILL", "USER", ADMIN_USER, "SKIPME", "yes"),
  );
}

/** What doesn't reach a server is done when it is converged. */
async function onServer(
  record: AddonRecord,
  task: Task,
  work: (server: RedisClient) => Promise<unknown>,
): Promise<void> {
  try {
    await using server = await connectBriefly(record, task);
    await work(server);
  } catch (error) {
    task.signal.throwIfAborted();
    log(`${record.name}: ${String(error)}`);
  }
}

function unsettled(giver: AddonRecord, receiver: AddonRecord, silent: AddonRecord): Failure {
  return new Failure({
    code: "switchover-unsettled",
    operation: "finish the switchover between",
    subject: `${giver.name} and ${receiver.name}`,
    cause: `the server of ${silent.name} runs and does not answer, so nobody knows which of the two takes writes`,
    hint: "It is looked at again and again; if it never answers, end its process",
    transient: true,
  });
}
