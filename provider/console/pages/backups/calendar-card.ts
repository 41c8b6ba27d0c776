import { html, type Html } from "../../html";
import { type BackupDay, backupDays, CALENDAR_DAYS, type DayState } from "./calendar";

const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/** Each has a mark of its own beside its colour. */
const STATES: Readonly<Record<DayState, { readonly mark: string; readonly words: string }>> = {
  verified: { mark: "✓", words: "verified" },
  unverified: { mark: "?", words: "not verified" },
  damaged: { mark: "✕", words: "damaged only" },
  failed: { mark: "!", words: "failed (the last run)" },
  none: { mark: "·", words: "none" },
};

/** Whether each of the last days has a backup: a table of weeks, read out day by day. */
export function calendarCard(
  backups: Parameters<typeof backupDays>[0],
  options: Parameters<typeof backupDays>[1],
): Html {
  const days = backupDays(backups, options);
  const weeks = weeksOf(days);
  return html`<section class="card" aria-labelledby="calendar-title">
    <h2 id="calendar-title">The last ${CALENDAR_DAYS} days</h2>
    <p class="muted" id="calendar-zone">
      Which days have a backup that is still there; days are those of ${options.timezone}. Of runs that failed
      only the last one is known: earlier ones are in the log.
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Calendar of backups">
      <table class="days" aria-labelledby="calendar-title" aria-describedby="calendar-zone">
        <thead>
          <tr>
            <td></td>
            ${weeks.map((_, index) => monthHead(weeks, index))}
          </tr>
        </thead>
        <tbody>
          ${WEEKDAYS.map(
            (name, weekday) =>
              html`<tr>
                <th scope="row">${name}</th>
                ${weeks.map((week) => cell(week[weekday]))}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <ul class="legend names">
      ${Object.entries(STATES).map(
        ([state, { mark, words }]) =>
          html`<li><span class="day ${state}" aria-hidden="true">${mark}</span> ${words}</li>`,
      )}
      <li><span class="day verified" aria-hidden="true">3</span> so many, the best of them verified</li>
    </ul>
  </section>`;
}

/** Seven days, Monday first; undefined: before the first day, or after today. */
type Week = readonly (BackupDay | undefined)[];

function weeksOf(days: readonly BackupDay[]): Week[] {
  const weeks: (BackupDay | undefined)[][] = [];
  for (const day of days) {
    const week = day.weekday === 0 ? undefined : weeks.at(-1);
    if (week === undefined) weeks.push([]);
    const present = weeks.at(-1);
    if (present !== undefined) present[day.weekday] = day;
  }
  return weeks;
}

/** A month is named where it begins, unless the next one's name stands right behind. */
function monthHead(weeks: readonly Week[], index: number): Html {
  const week = weeks[index] ?? [];
  const [before, after] = [weeks[index - 1], weeks[index + 1]];
  const month = monthOf(week);
  const isNew =
    before === undefined ? after === undefined || monthOf(after) === month : monthOf(before) !== month;
  const name = isNew ? MONTHS[Number(month) - 1] : "";
  const first = week.find((day) => day !== undefined)?.date ?? "";
  return html`<th scope="col">
    <span aria-hidden="true">${name}</span><span class="unseen">from ${first}</span>
  </th>`;
}

/** In which it ends: `05`. */
function monthOf(week: Week): string | undefined {
  return week.findLast((day) => day !== undefined)?.date.slice(5, 7);
}

function cell(day: BackupDay | undefined): Html {
  if (day === undefined) return html`<td></td>`;
  const { state, backups } = day;
  const shown = backups > 1 ? String(backups) : STATES[state].mark;
  const words = `${day.date}: ${dayWords(day)}`;
  return html`<td class="day ${state}" title="${words}">
    <span aria-hidden="true">${shown}</span><span class="unseen">${words}</span>
  </td>`;
}

export function dayWords({ state, backups, verified }: BackupDay): string {
  if (backups === 0) return state === "failed" ? "the backup failed" : "no backup";
  const failed = state === "failed" ? ", and the last run failed" : "";
  if (backups === 1)
    return `one backup, ${state === "damaged" || state === "failed" ? "damaged" : STATES[state].words}${failed}`;
  return `${backups} backups, ${verified} of them verified${failed}`;
}
