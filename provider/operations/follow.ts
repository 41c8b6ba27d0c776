import { Failure } from "../core/errors";
import type { AddonRecord } from "../core/facets";
import { holdsAnything, holdsData } from "../core/held-data";
import { followed, haltOf } from "../core/followed";
import type { Task } from "../core/task";
import type { OnData, Platform } from "../platforms/contract";
import type { Preflight } from "../redis/preflight";
import type { Finding } from "../redis/preflight/finding";
import { waitLoaded } from "../redis/wait-loaded";
import { waitSynced } from "../redis/wait-synced";
import { recordOf } from "./applied";
import { connectAdmin } from "./connect-admin";
import { dataRefused } from "./data-refused";
import { preflightFollow, wishedLeader, type WishedLeader } from "./preflight-follow";
import type { Replicated, ReplicateRequest } from "./replicate";

/** For a leader that may be starting at this moment; one that is loading is waited for as long as there is time. */
const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 1_000;

/**
 * Makes the add-on follow and waits until it is synced; progress says how far it is.
 *
 * Refuses, before anything is touched, a leader that can't be followed, and an add-on whose own data the leader's
 * snapshot would replace unless that is asked for: then they are backed up first. Following that leader already is
 * success; it is then only waited for.
 */
export async function follow(platform: Platform, request: ReplicateRequest, task: Task): Promise<Replicated> {
  const startedAt = task.clock.now();
  const { name, claim, given, wish, deadlineMs } = request;
  const record = await existing(platform, name);
  const leader = await wishedLeader(platform, record, wish);
  const onData = await onDataOf(platform, record, leader, request, task);
  const change = { facet: "replication", name, claim, given, wish, onData } as const;
  const applied = await platform.apply(change, task);
  const changed = recordOf(applied, "follow", name);
  const backup = applied.outcome === "applied" ? applied.safetyBackup : undefined;
  try {
    const leftMs = Math.max(0, deadlineMs - (task.clock.now() - startedAt));
    await waitSynced(() => connectAdmin(platform, changed, task), leader.address, task, {
      deadlineMs: leftMs,
      name,
      halted: async () => {
        const present = await platform.load(name);
        return present && haltOf(present)?.why;
      },
      refused: () => dataRefused(platform, name),
    });
  } catch (error) {
    throw backup === undefined ? error : withBackup(error, backup);
  }
  return { record: changed, safetyBackup: backup };
}

/** What shall happen to the keys that it holds, once nothing else stands against it. */
async function onDataOf(
  platform: Platform,
  record: AddonRecord,
  leader: WishedLeader,
  { name, replaceData, deadlineMs }: ReplicateRequest,
  task: Task,
): Promise<OnData> {
  const found = await passed(platform, record, leader, deadlineMs, task);
  if (leader.isFollowed || found.sharesHistory) return "keep";
  if (replaceData) return "replace";
  // Asked once more where it can't change in between; but nobody's writes are held up for what is plain already.
  if (holdsAnything(found.held)) throw holdsData(name, found.held, followed(record) !== undefined);
  return "refuse";
}

/** The preflight that has nothing against it; one that may pass by itself is repeated for a while. */
async function passed(
  platform: Platform,
  record: AddonRecord,
  leader: WishedLeader,
  deadlineMs: number,
  task: Task,
): Promise<Preflight> {
  const startedAt = task.clock.now();
  const { name } = record;
  task.progress({ message: "checking the leader" });
  for (;;) {
    await using server = await connectAdmin(platform, record, task);
    // An update that was interrupted has left it in the middle of a sync.
    await waitLoaded(server, task);
    const found = await preflightFollow(platform, { name, server, leader }, task);
    const refusal = found.findings.find(({ severity }) => severity === "refuse");
    // Whom it follows already comes back while it waits for the sync, or that names the cause.
    if (refusal === undefined || (refusal.transient && leader.isFollowed)) return found;
    const waitedMs = task.clock.now() - startedAt;
    if (!refusal.transient || waitedMs + LOOK_EVERY_MS > patienceMs(refusal, deadlineMs))
      throw new Failure({ ...refusal, operation: "follow with", subject: name });
    task.progress({ message: `waiting for the leader: ${refusal.cause}` });
    await task.clock.sleep(LOOK_EVERY_MS, task.signal);
  }
}

function patienceMs({ code }: Finding, deadlineMs: number): number {
  return code === "loading" ? deadlineMs : Math.min(deadlineMs, PATIENCE_MS);
}

/** Whoever has to mend it must know where the keys are that were there before. */
function withBackup(
  error: unknown,
  { slot, archive }: { readonly slot: string; readonly archive: string },
): unknown {
  if (!(error instanceof Failure)) return error;
  const kept = `What it held before is in the backup ${slot} (${archive})`;
  return new Failure({ ...error.report(), hint: error.hint === "" ? kept : `${error.hint}. ${kept}` });
}

async function existing(platform: Platform, name: string): Promise<AddonRecord> {
  const record = await platform.load(name);
  return recordOf(
    record === undefined ? { outcome: "absent" } : { outcome: "applied", record },
    "follow with",
    name,
  );
}
