import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import { followed } from "../../core/followed";
import { desiredServer, type LeaderAddress } from "../../core/render";
import type { Task } from "../../core/task";
import type { HomeLayout } from "../../platforms/local/home";
import type { RedisClient } from "../../redis/client";
import { converge, type Converged } from "../../redis/converge";
import { requireLoaded } from "../../redis/last-load";
import { waitLoaded } from "../../redis/wait-loaded";
import { connectServer } from "../connections/connect-server";
import { shutOutUsers } from "../connections/shut-out-users";
import { log } from "../log";
import { copyingNow } from "../replication/lineage/distrust";
import { settleData } from "./settle-data";

/** Makes the server that runs as recorded, once it has loaded its data. */
export async function convergeServer(
  layout: HomeLayout,
  record: AddonRecord,
  leader: LeaderAddress | undefined,
  task: Task,
): Promise<Converged> {
  await using server = await connectServer(record, task);
  for (;;) {
    await waitLoaded(server, task);
    try {
      return await convergeLoaded(server, layout, record, leader, task);
    } catch (error) {
      // A follower begins to load its leader's snapshot whenever that has arrived.
      if (!(error instanceof Failure) || error.code !== "loading") throw error;
    }
  }
}

async function convergeLoaded(
  server: RedisClient,
  layout: HomeLayout,
  record: AddonRecord,
  leader: LeaderAddress | undefined,
  task: Task,
): Promise<Converged> {
  const { name } = record;
  // While it follows somebody the next snapshot may load; with nobody to follow, only a start brings its data back.
  if (followed(record) !== undefined && leader === undefined)
    await requireLoaded(server, "stop the follower", name);
  const copying = await copyingNow(layout, record, server, task.clock);
  const converged = await converge(server, desiredServer(record, leader, copying), task);
  for (const change of converged.changes) log(`${name}: ${change}`);
  if (record.removing !== undefined) await shutOutUsers(server);
  await settleData(server, layout.addon(name), record, task);
  return converged;
}
