import type { ReplicationWish } from "../core/facets";
import { followed } from "../core/followed";
import { holdsAnything, type HeldData } from "../core/held-data";
import { Failure } from "../core/errors";
import type { Platform } from "../platforms/contract";
import { preflightLeaderAlone } from "../redis/preflight";
import type { Finding } from "../redis/preflight/finding";
import { connectAdmin } from "./connect-admin";
import { loopByRecords, preflightFollow, wishedLeader } from "./preflight-follow";

/** A preview is waited for by a person, and may be followed by many others. */
const LIMIT_MS = 5_000;
/** Of it: so that a leader that doesn't answer is told as such. */
const LEADER_LIMIT_MS = 3_000;

/** What a preview can find out about an add-on following a leader. */
export interface FollowPreview {
  readonly findings: readonly Finding[];
  /** What would be replaced by the leader's data, and whether it came from another leader; absent: nothing would. */
  readonly replaces?: { readonly held: HeldData; readonly follows: boolean };
}

/**
 * What following would meet, without touching anything. Of what isn't there yet, or doesn't answer, nothing is said; an
 * address is tried even before there is an add-on to follow it. Takes some five seconds at most.
 */
export async function previewFollow(
  platform: Platform,
  { name, wish }: { readonly name: string | undefined; readonly wish: ReplicationWish },
): Promise<FollowPreview> {
  const task = { signal: AbortSignal.timeout(LIMIT_MS) };
  try {
    return await preview(platform, name, wish, task);
  } catch (error) {
    if (!task.signal.aborted) throw error;
    return { findings: [tooSlow] };
  }
}

async function preview(
  platform: Platform,
  name: string | undefined,
  wish: ReplicationWish,
  task: { readonly signal: AbortSignal },
): Promise<FollowPreview> {
  const record = name === undefined ? undefined : await platform.load(name);
  const alone = async () =>
    wish.kind === "external" ? await preflightLeaderAlone(wish, task, LEADER_LIMIT_MS) : [];
  if (record === undefined) return { findings: await alone() };
  const leaderIsThere = wish.kind === "external" || (await platform.load(wish.addon)) !== undefined;
  if (!leaderIsThere) return { findings: [] };
  const leader = await wishedLeader(platform, record, wish);
  // The two have exchanged their roles, and exchange them back before anything else.
  if (leader.record?.demoted?.to === record.name) return { findings: [] };
  const loop = await loopByRecords(platform, record.name, leader);
  if (loop !== undefined) return { findings: [loop] };
  const server = await connectAdmin(platform, record, task).catch((error: unknown) => {
    // It is stopped: the update starts it before it asks again.
    if (error instanceof Failure) return undefined;
    throw error;
  });
  if (server === undefined) return { findings: await alone() };
  await using open = server;
  const asked = { name: record.name, server: open, leader };
  const found = await preflightFollow(platform, asked, task, { leaderTimeoutMs: LEADER_LIMIT_MS });
  const follows = followed(record) !== undefined;
  // What it has from another leader may be a part of this one's history, which only this one can tell.
  const isUntold = follows && found.findings.some(({ transient }) => transient);
  const isLost = !leader.isFollowed && !found.sharesHistory && holdsAnything(found.held) && !isUntold;
  return { findings: found.findings, ...(isLost ? { replaces: { held: found.held, follows } } : {}) };
}

const tooSlow: Finding = {
  code: "timeout",
  severity: "refuse",
  cause: `it could not be checked within ${LIMIT_MS / 1000} s`,
  hint: "Check the host, the network and its firewalls",
  transient: true,
};
