import type { AddonRecord } from "../../../core/facets";
import type { AddonStatus, SyncStatus } from "../../../core/status";
import type { ConsoleContext } from "../../context";
import { html, type Html } from "../../html";

interface Action {
  /** Below `/addons/<name>/replication/`. */
  readonly path: string;
  readonly words: string;
}

/** Links to what can be done about who leads and who follows; each leads to a page that says what it would do. */
export async function replicationActions(context: ConsoleContext, status: AddonStatus): Promise<Html> {
  const record = await context.platform.load(status.name);
  if (record === undefined) return html``;
  return html`<nav class="actions" aria-label="Change who leads and who follows">
    ${actionsOf(status, record).map(
      ({ path, words }) =>
        html`<a class="button" href="/addons/${status.name}/replication/${path}">${words}</a>`,
    )}
  </nav>`;
}

/** Waiting alone may not help. */
function isStuck(sync: SyncStatus): boolean {
  return sync.state === "broken" || (sync.state === "connecting" && sync.why !== undefined);
}

function actionsOf({ replication }: AddonStatus, record: AddonRecord): readonly Action[] {
  const back = { path: "switch-over?back=yes", words: "Exchange the roles back" };
  // Of a pair that has exchanged its roles nothing else may be changed.
  if (record.demoted !== undefined) return [back];
  if (replication.role === "leader")
    return replication.position === "switched-over" ? [back] : [{ path: "follow", words: "Set as follower" }];
  const { sync, leader } = replication;
  return [
    { path: "promote", words: "Promote" },
    ...(leader.addon === undefined ? [] : [{ path: "switch-over", words: "Switch over" }]),
    { path: "follow", words: "Follow another leader" },
    ...(isStuck(sync) ? [{ path: "resync", words: "Take the leader's data" }] : []),
  ];
}
