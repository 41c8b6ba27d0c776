import type { BackupsLook } from "../../../operations/look-at-backups";
import {
  nextRunWords,
  retentionWords,
  scheduleWords,
  storedWords,
} from "../../../operations/words/backup-words";
import { html, type Html } from "../../html";
import { badge, backupBadge } from "../parts/badge";
import { facts } from "../parts/facts";
import { lastRunFact } from "../parts/last-run";
import { asSentence } from "../parts/sentence";
import { moment, momentAndAge } from "../parts/time";

/** When backups are taken, how long they are kept, where, and whether they can be relied on. */
export function stateCard({ status }: BackupsLook, now: number): Html {
  const {
    addon,
    health,
    schedule,
    retention,
    catalog,
    newestVerified,
    lastRun,
    missing,
    alertsTo,
    next,
    unattended,
  } = status;
  return html`<section class="card" aria-labelledby="state-title">
    <h2 id="state-title">State and policy</h2>
    <div id="state" data-live>
      ${facts([
        [
          "State",
          html`${backupBadge(health)}${health.why === undefined ? "" : html`<br />${asSentence(health.why)}`}`,
        ],
        [
          "Newest verified",
          newestVerified === undefined ? badge("warn", "none is known") : momentAndAge(newestVerified, now),
        ],
        missing === undefined
          ? undefined
          : [
              "Missing",
              `The verified one of ${missing} is not there: it was removed, or lies in an earlier destination.`,
            ],
        ["Last run", lastRunFact(addon, status, health.why === undefined ? [] : [health.why])],
        ...(lastRun?.warnings ?? []).map((warning) => ["Warning", asSentence(warning)] as const),
        ["Next run", next !== undefined && unattended === undefined ? moment(next) : nextRunWords(status)],
        ["Schedule", scheduleWords(schedule)],
        ["Kept", retentionWords(retention)],
        ["Stored", storedWords(status.stored)],
        ["Destination", html`<code>${catalog}</code>`],
        alertsTo === undefined ? undefined : ["Alerts", `to ${alertsTo}`],
      ])}
    </div>
    <form method="post" action="/addons/${addon}/backups">
      <button class="primary">Back up now</button>
    </form>
  </section>`;
}
