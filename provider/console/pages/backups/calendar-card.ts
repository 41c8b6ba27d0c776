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
    <div class="scroll" tabindex="0" role="region" aria-labelledby="calendar-title">
      <table class="days">
        <caption>
          By the slot of each backup; days are those of ${options.timezone}.
        </caption>
        <thead>
          <tr>
            <td></td>
            ${weeks.map((week, index) => monthHead(week, weeks[index - 1]))}
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

/** Seven days each, Monday first; undefined: before the first day, or after today. */
function weeksOf(days: readonly BackupDay[]): (BackupDay | undefined)[][] {
  const weeks: (BackupDay | undefined)[][] = [];
  for (const day of days) {
    const week = day.weekday === 0 ? undefined : weeks.at(-1);
    if (week === undefined) weeks.push([]);
    const present = weeks.at(-1);
    if (present !== undefined) present[day.weekday] = day;
  }
  return weeks;
}

/** A month is named where it begins. */
function monthHead(
  week: readonly (BackupDay | undefined)[],
  before: readonly (BackupDay | undefined)[] | undefined,
): Html {
  const first = week.find((day) => day !== undefined)?.date ?? "";
  const last = before?.findLast((day) => day !== undefined)?.date ?? "";
  const month = first.slice(0, 7) === last.slice(0, 7) ? "" : MONTHS[Number(first.slice(5, 7)) - 1];
  return html`<th scope="col">
    <span aria-hidden="true">${month}</span><span class="unseen">from ${first}</span>
  </th>`;
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
