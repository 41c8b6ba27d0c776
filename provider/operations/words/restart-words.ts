import type { Usage } from "../../core/resize";
import type { AddonStatus } from "../../core/status";
import type { Restarted } from "../../platforms/contract";
import type { RestartPreview } from "../restart";
import { durationText } from "../restore/restore-words";

/** What a restart would do, each a sentence; none: its server doesn't run. */
export function restartConsequences(
  { name, server, replication, wish }: AddonStatus,
  { usage, awayMs }: RestartPreview,
): string[] {
  if (server.state === "stopped") return [];
  const about = awayMs === undefined ? "nobody knows how long" : `about ${durationText(awayMs)}`;
  const followers = replication.role === "leader" ? replication.followers.length : 0;
  return [
    `${name} answers nobody while its server restarts (${about}), and keeps its data`,
    ...closedWords(usage),
    ...(wish.persistence === "none" ? ["its data, which are in memory alone, are saved first"] : []),
    ...(followers > 0
      ? [`${followersText(followers)} its data anew once it is back, and serve what they have until then`]
      : []),
    ...(replication.role === "follower" ? ["it takes its leader's data anew once it is back"] : []),
  ];
}

/** What a person is told of a restart that was made. */
export function restartWords(name: string, restarted: Exclude<Restarted, { outcome: "absent" }>): string {
  if (restarted.outcome === "started") return `${name} did not run: it is started`;
  const { awayMs } = restarted;
  if (awayMs === undefined) return `${name} is restarted`;
  // So little that tenths of a second would say nothing.
  const away = awayMs < 1000 ? `${awayMs} ms` : durationText(awayMs);
  return `${name} is restarted; it was away for ${away}`;
}

function closedWords(usage: Usage | undefined): string[] {
  if (usage?.connections === 0) return [];
  const open = usage === undefined ? "every connection" : connectionsText(usage.connections);
  return [`${open} is closed, with what was begun on it: transactions, subscriptions, blocking commands`];
}

function connectionsText(connections: number): string {
  return connections === 1 ? "its users' connection" : `each of its users' ${connections} connections`;
}

function followersText(followers: number): string {
  return followers === 1 ? "its follower takes" : `its ${followers} followers take`;
}
