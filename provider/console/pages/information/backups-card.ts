import type { AddonStatus } from "../../../core/status";
import {
  restoredWords,
  restoringWords,
  retentionWords,
  scheduleWords,
} from "../../../operations/words/backup-words";
import { html, type Html } from "../../html";
import { backupBadge } from "../parts/badge";
import { facts } from "../parts/facts";
import { lastRunFact } from "../parts/last-run";
import { moment, momentAndAge } from "../parts/time";

/** Whether the backups can be relied on, and where the data come from if they were restored. */
export function backupsCard(
  { name, problems, backups, restored, restoring }: AddonStatus,
  now: number,
): Html {
  const { schedule, retention, catalog, health, newestVerified, next, lastRun } = backups;
  return html`<section class="card" id="backups" data-live aria-labelledby="backups-title">
    <h2 id="backups-title">Backups</h2>
    ${facts([
      ["State", backupBadge(health)],
      ["Newest verified", newestVerified === undefined ? "none is known" : momentAndAge(newestVerified, now)],
      ["Next", next === undefined ? "never" : moment(next)],
      ["Last run", lastRunFact(name, backups, problems)],
      ...(lastRun?.warnings ?? []).map((warning) => ["Warning", warning] as const),
      ["Schedule", `${scheduleWords(schedule)}, kept ${retentionWords(retention)}`],
      ["Stored in", html`<code>${catalog}</code>`],
      restored && ["Restored from", restoredWords(restored)],
      restoring && ["Being restored", restoringWords(restoring)],
    ])}
    <p><a href="/addons/${name}/backups">All backups</a></p>
  </section>`;
}
