import type { ConsoleContext } from "../context";
import { html, type Html } from "../html";
import { badge } from "../pages/parts/badge";
import { ago } from "../pages/parts/time";
import { asSentence } from "../pages/parts/sentence";
import { type Activity, activityWords, isRunning } from "./activities";
import { activityProgress } from "./progress";

/** So many of an add-on's are listed; the others are still there by their address. */
const LISTED = 5;

/** What was started from one tab of an add-on, and how it goes: what runs, and what ended last. A live part. */
export function activitiesSection(
  { activities, clock }: ConsoleContext,
  name: string,
  tab: Activity["tab"],
): Html {
  const all = activities.of(name).filter((each) => each.tab === tab);
  const shown = [...all.filter(isRunning), ...all.filter((each) => !isRunning(each)).slice(0, LISTED)];
  if (shown.length === 0) return html`<div id="activities" data-live></div>`;
  return html`<section class="card" id="activities" data-live aria-labelledby="activities-title">
    <h2 id="activities-title">Activities</h2>
    <ul class="names activities">
      ${shown.map((activity) => html`<li>${row(activity, clock.now())}</li>`)}
    </ul>
  </section>`;
}

function row(activity: Activity, now: number): Html {
  const { state, endedAt } = activity;
  const head = html`<a href="${activityPath(activity)}">${activityWords(activity)}</a> ${stateBadge(activity)}
    ${endedAt === undefined ? "" : html`<span class="muted">${ago(endedAt, now)}</span>`}`;
  switch (state.kind) {
    case "running":
      return html`${head} ${activityProgress(activity, now)}`;
    case "done":
      return html`${head} ${state.words.map((words) => html`<p>${asSentence(words)}</p>`)}`;
    case "failed":
      return html`${head}
        <p class="trouble">${asSentence(state.report.cause)}</p>`;
  }
}

export function activityPath({ addon, id }: Pick<Activity, "addon" | "id">): string {
  return `/addons/${addon}/activities/${id}`;
}

export function stateBadge({ state }: Activity): Html {
  switch (state.kind) {
    case "running":
      return badge("busy", "under way");
    case "done":
      return (state.warnings ?? []).length === 0
        ? badge("good", "done")
        : badge("warn", "done, see warnings");
    case "failed":
      return badge("bad", "failed");
  }
}
