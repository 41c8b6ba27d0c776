import { memoryText } from "../../core/memory-size";
import { planOf } from "../../core/plans";
import type { AddonStatus } from "../../core/status";

type Used = Pick<AddonStatus, "server" | "wish">;

/** Memory against the plan's: `12.0 MiB of 128 MiB`; `-` where the server doesn't tell. */
export function memoryWords({ server, wish }: Used): string {
  if (server.state !== "running") return "-";
  return `${memoryText(server.memoryUsedBytes)} of ${memoryText(planOf(wish.plan).memoryBytes)}`;
}

/** Connections against the plan's: `12 of 250`; `-` where the server doesn't tell. */
export function connectionWords({ server, wish }: Used): string {
  return server.state === "running" ? `${server.connections} of ${planOf(wish.plan).connections}` : "-";
}
