import { Failure } from "../../../core/errors";
import type { BackupsLook, StoredLook } from "../../../operations/look-at-backups";
import { timezoneOf } from "../../../core/retention";
import { activitiesSection } from "../../activities/section";
import type { ConsoleContext } from "../../context";
import { html, type Html } from "../../html";
import { failureNotice } from "../parts/failure";
import { notice } from "../parts/problems";
import { calendarCard } from "./calendar-card";
import { stateCard } from "./state-card";
import { backupTable } from "./table";

/** The tab of backups: how they are, what is under way, which there are, and the days that have one. All of it is live. */
export function overview(context: ConsoleContext, look: BackupsLook, isFirst: boolean): Html {
  const { status, stored, distrusted } = look;
  const { addon, unattended } = status;
  const now = context.clock.now();
  const held =
    distrusted === undefined ? [] : [`No backup is removed for now, whatever the policy says: ${distrusted}`];
  const notes = [...held, ...(unattended === undefined ? [] : [unattended])];
  const isUnseen = stored instanceof Failure;
  // Parts of one kind are there in each answer, if empty: a page that is open shows what has come and gone.
  const about = html`<div id="notes" data-live>
      ${isUnseen ? unseen(stored) : ""} ${notes.length === 0 ? "" : notice("warn", "To be known", notes)}
    </div>
    ${activitiesSection(context, addon, "backups")}`;
  const list = html`<div id="list" data-live>${isUnseen ? "" : listCard(look, stored, now)}</div>`;
  if (!isFirst) return html`${about} ${list}`;
  const { lastRun, schedule } = status;
  const failedAt = lastRun?.outcome === "failed" ? Date.parse(lastRun.at) : undefined;
  const calendar = isUnseen
    ? ""
    : calendarCard(stored.days, { now, timezone: timezoneOf(schedule), failedAt });
  return html`${about}
    <div class="columns">
      ${stateCard(look, now)}
      <div id="calendar" data-live>${calendar}</div>
    </div>
    ${list}`;
}

function unseen(failure: Failure): Html {
  return html`${failureNotice(failure)}
    <p class="muted">
      What stands below is what this machine has noted; the backups themselves can't be seen.
    </p>`;
}

function listCard({ status, createdAt }: BackupsLook, stored: StoredLook, now: number): Html {
  const { addon } = status;
  const { page, untold, days } = stored;
  return html`<section class="card" aria-labelledby="list-title">
    <h2 id="list-title">Backups</h2>
    ${untold === undefined ? "" : failureNotice(untold)}
    ${
      page.length === 0
        ? html`<p>${noneWords(status, days.length === 0)}</p>`
        : html`<p class="muted">
              When one goes is told for backups that come on time from now on and are verified; one on demand
              counts as the newest too. Times are UTC.
            </p>
            ${backupTable(page.map((backup) => ({ addon, backup, createdAt, now })))}`
    }
    ${pages(addon, stored)}
  </section>`;
}

function noneWords({ addon, lastRun, missing }: BackupsLook["status"], isEmpty: boolean): string {
  if (!isEmpty) return "There are no older ones.";
  const hadSome = missing !== undefined || lastRun?.outcome === "backed-up";
  return hadSome ? `There are none of ${addon} at its destination.` : `${addon} has no backups yet.`;
}

/** Which of them stand here, and the way to the others. */
function pages(addon: string, { page, newer, days, older }: StoredLook): Html {
  if (page.length === days.length) return html``;
  const path = `/addons/${addon}/backups`;
  return html`<nav class="inline" aria-label="Further backups">
    <p>${newer + Math.min(1, page.length)} to ${newer + page.length} of ${days.length}</p>
    ${newer === 0 ? "" : html`<a class="button" href="${path}">Newest</a>`}
    ${older === undefined ? "" : html`<a class="button" href="${path}?before=${older}">Older</a>`}
  </nav>`;
}
