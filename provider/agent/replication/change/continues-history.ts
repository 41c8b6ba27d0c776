import { addressAsLeader } from "../../../core/as-leader";
import type { ReplicationWish } from "../../../core/facets";
import type { LeaderAddress } from "../../../core/render";
import type { Task } from "../../../core/task";
import type { HomeLayout } from "../../../platforms/local/home";
import { readRecord } from "../../../platforms/local/records";
import type { Info } from "../../../redis/info";
import { probeLeader } from "../../../redis/leader-probe";
import { sharesHistory } from "../../../redis/preflight/shares-history";

/** Whether the leader that is wished can go on from all that a server has; not where the leader doesn't say. */
export async function continuesHistory(
  layout: HomeLayout,
  follower: Info,
  wish: ReplicationWish,
  task: Task,
): Promise<boolean> {
  const leader = await addressOf(layout, wish);
  const probe = leader === undefined ? undefined : await probeLeader(leader, task);
  return probe?.kind === "ready" && probe.info !== undefined && sharesHistory(follower, probe.info);
}

async function addressOf(layout: HomeLayout, wish: ReplicationWish): Promise<LeaderAddress | undefined> {
  if (wish.kind === "external") return wish;
  const named = await readRecord(layout, wish.addon);
  const { demoted } = named ?? {};
  const promoted = demoted === undefined ? undefined : await readRecord(layout, demoted.to);
  const leader = promoted?.createdAt === demoted?.createdAt ? (promoted ?? named) : named;
  return leader && addressAsLeader(leader);
}
