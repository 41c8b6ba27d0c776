import { addressAsLeader } from "../../core/as-leader";
import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import { followed } from "../../core/followed";
import { leadingAddon } from "../../core/leading-addon";
import type { LeaderAddress } from "../../core/render";
import type { FollowedLeader } from "../../core/status";
import type { Task } from "../../core/task";
import type { Placement, Platform } from "../../platforms/contract";
import { connectRedis } from "../../redis/client";
import type { Info } from "../../redis/info";
import { probeLeader } from "../../redis/leader-probe";
import type { Look } from "./look";

/** Whom a record says that its add-on follows. */
export type RecordedLeader =
  | { readonly kind: "addon"; readonly placement: Placement; readonly address: LeaderAddress }
  | { readonly kind: "external"; readonly address: LeaderAddress }
  | { readonly kind: "gone"; readonly addon: string; readonly why: string };

/** What a leader said; `why` it can't be followed now, where that is known. */
export interface AskedLeader {
  readonly info?: Info;
  readonly why?: string;
}

/** A leader that is away must not keep anybody from seeing a status. */
const PATIENCE_MS = 1_500;

/** Absent: the add-on is a leader itself. */
export async function recordedLeader(
  platform: Platform,
  record: AddonRecord,
): Promise<RecordedLeader | undefined> {
  const target = followed(record);
  if (target === undefined) return undefined;
  if (target.kind === "external") return { kind: "external", address: target };
  const { addon } = target;
  try {
    const leading = await leadingAddon(record, (name) => platform.load(name));
    const placement = leading && (await platform.placement(leading.name));
    if (placement !== undefined)
      return { kind: "addon", placement, address: addressAsLeader(placement.record) };
    const isThere = (await platform.load(addon)) !== undefined;
    const why = `the add-on ${addon} that it followed is gone${isThere ? ", and another one has its name" : ""}`;
    return { kind: "gone", addon, why };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "record-unreadable") throw error;
    return { kind: "gone", addon, why: error.message };
  }
}

export function shownLeader(leader: RecordedLeader): FollowedLeader {
  if (leader.kind === "gone") return { addon: leader.addon };
  const { host, port } = leader.address;
  return { ...(leader.kind === "addon" ? { addon: leader.placement.record.name } : {}), host, port };
}

/**
 * What the leader tells of itself, asked once and not for long: one of ours as its administrator, any other as the user
 * that replicates. Where there is no link, also why there can't be one.
 */
export async function askLeader(
  look: Look,
  leader: RecordedLeader,
  isLinked: boolean,
  task: Task,
): Promise<AskedLeader> {
  if (leader.kind === "gone") return { why: leader.why };
  if (leader.kind === "addon") return askAddon(look, leader.placement, task);
  const { address } = leader;
  if (isLinked)
    return quickly(task, async (quick) => {
      await using client = await connectRedis({ ...address, operation: "follow" }, quick);
      return { info: await client.info() };
    });
  return quickly(task, async (quick) => {
    const probe = await probeLeader(address, quick, PATIENCE_MS);
    if (probe.kind === "failed") return { why: probe.failure.cause };
    return probe.info === undefined ? {} : { info: probe.info };
  });
}

function askAddon({ platform, connect }: Look, placement: Placement, task: Task): Promise<AskedLeader> {
  const { record, process } = placement;
  if (process.state === "stopped")
    return Promise.resolve({ why: `its leader ${record.name} does not run: ${process.why}` });
  if (process.state === "starting") return Promise.resolve({ why: `its leader ${record.name} is starting` });
  return quickly(task, async (quick) => {
    await using client = await connect(platform, record, quick);
    return { info: await client.info() };
  });
}

async function quickly(task: Task, ask: (quick: Task) => Promise<AskedLeader>): Promise<AskedLeader> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    return await ask({ ...task, signal: AbortSignal.any([task.signal, patience]) });
  } catch (error) {
    task.signal.throwIfAborted();
    if (patience.aborted) return { why: `its leader does not answer within ${PATIENCE_MS / 1000} s` };
    return { why: error instanceof Failure ? error.cause : String(error) };
  }
}
