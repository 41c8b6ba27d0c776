import type { AddonStatus, FollowedLeader, ListedFollower, SyncStatus } from "../../../core/status";
import { memoryText } from "../../../core/memory-size";
import { authority } from "../../../core/uri";
import { lagWords, positionWords } from "../../../operations/words/follower-words";
import { syncWords } from "../../../redis/sync-status";
import type { ConsoleContext } from "../../context";
import { html, type Html } from "../../html";
import { sparkline } from "../../plots/sparkline";
import { badge, type Tone } from "../parts/badge";
import { facts, type Fact } from "../parts/facts";
import { momentAndAge } from "../parts/time";
import { replicationActions } from "./actions";

const LAG_SHOWN_MS = 30 * 60_000;

/** Whom an add-on follows and how far it is, or who follows it, and what can be done about that. Its parts are live. */
export function replicationCard(context: ConsoleContext, status: AddonStatus): Html {
  const { replication } = status;
  const now = context.clock.now();
  const { switchover } = replication;
  const under: readonly (Fact | undefined)[] = [
    switchover && ["Switchover", html`to ${switchover.to}, begun ${momentAndAge(switchover.since, now)}`],
  ];
  return html`<section class="card" aria-labelledby="replication-title">
    <h2 id="replication-title">Replication</h2>
    <div id="replication" data-live>
      ${
        replication.role === "leader"
          ? html`${facts([["Role", positionWords(replication)], ...under])}
            ${followers(status.name, replication.followers)}`
          : facts([...following(context, status.name, replication, now), ...under])
      }
    </div>
    <div id="replication-actions" data-live>${replicationActions(context, status)}</div>
  </section>`;
}

type Following = Extract<AddonStatus["replication"], { role: "follower" }>;

function following(
  { watch }: ConsoleContext,
  name: string,
  { leader, link, sync, inSyncSince, lastSyncedAt, halted }: Following,
  now: number,
): readonly (Fact | undefined)[] {
  const points = watch.samples(name, now - LAG_SHOWN_MS).map(({ at, lagBytes }) => ({ at, value: lagBytes }));
  return [
    ["Role", "follower"],
    ["Leader", leaderLink(leader)],
    ["State", html`${badge(toneOf(sync), syncWords(sync))} ${bar(name, sync)}`],
    ["Link", link],
    ["Lag", html`${lagWords(sync) ?? "not known"} ${sparkline({ label: lagLabel(points), points })}`],
    inSyncSince === undefined
      ? ["Last in sync", lastSyncedAt === undefined ? "never" : momentAndAge(lastSyncedAt, now)]
      : ["In sync since", momentAndAge(inSyncSince, now)],
    halted && ["Follows nobody since", momentAndAge(halted.since, now)],
  ];
}

function toneOf(sync: SyncStatus): Tone {
  switch (sync.state) {
    case "synced":
      return "good";
    case "broken":
      return "bad";
    case "connecting":
      return sync.why === undefined ? "busy" : "warn";
    case "waiting":
    case "syncing":
    case "loading":
      return "busy";
  }
}

/** Nothing is on its way where it is in sync, and where nobody could say that anything is. */
function bar(name: string, sync: SyncStatus): Html | "" {
  if (toneOf(sync) !== "busy") return "";
  const percent = "percent" in sync ? sync.percent : undefined;
  const label = `Sync of ${name}`;
  return percent === undefined
    ? html`<progress aria-label="${label}" max="100"></progress>`
    : html`<progress aria-label="${label}" max="100" value="${percent}"></progress>`;
}

function lagLabel(points: readonly { readonly value: number | undefined }[]): string {
  const most = Math.max(0, ...points.map(({ value }) => value ?? 0));
  return `Lag as the console has measured it: at most ${memoryText(most)}`;
}

function leaderLink({ addon, host, port }: FollowedLeader): Html {
  const address = host === undefined || port === undefined ? undefined : authority(host, port);
  if (addon === undefined) return html`<code>${address ?? "not known"}</code>`;
  if (address === undefined) return html`${addon}, which is gone`;
  return html`<a href="/addons/${addon}">${addon}</a> <code>${address}</code>`;
}

function followers(name: string, listed: readonly ListedFollower[]): Html {
  if (listed.length === 0) return html`<p class="muted">Nobody follows it.</p>`;
  return html`<table class="cards">
    <caption>
      Who follows ${name}
    </caption>
    <thead>
      <tr>
        <th scope="col">Follower</th>
        <th scope="col">State</th>
        <th scope="col">Lag</th>
      </tr>
    </thead>
    ${listed.map(
      (follower) =>
        html`<tbody>
          <tr>
            <th scope="row">${followerName(follower)}</th>
            <td data-label="State">${badge(FOLLOWER_TONES[follower.state], follower.state)}</td>
            <td data-label="Lag"><span>${lagWords(follower) ?? "not known"}</span></td>
          </tr>
        </tbody>`,
    )}
  </table>`;
}

const FOLLOWER_TONES: Readonly<Record<ListedFollower["state"], Tone>> = {
  online: "good",
  syncing: "busy",
  absent: "warn",
};

function followerName({ addon, host, port }: ListedFollower): Html {
  const address = html`<code>${authority(host, port)}</code>`;
  return addon === undefined ? address : html`<a href="/addons/${addon}">${addon}</a> ${address}`;
}
