import { Hono, type Context } from "hono";
import { Failure } from "../../core/errors";
import { durationText } from "../../operations/restore/restore-words";
import type { ConsoleContext } from "../context";
import { html, type Html } from "../html";
import { refusalPage } from "../pages/backups/refusal-page";
import { addonSubpage } from "../pages/parts/addon-subpage";
import { facts } from "../pages/parts/facts";
import { failureNotice } from "../pages/parts/failure";
import { notice } from "../pages/parts/problems";
import { asSentence } from "../pages/parts/sentence";
import { moment } from "../pages/parts/time";
import { type Activity, activityWords, isRunning } from "./activities";
import { activityProgress } from "./progress";
import { activityPath, stateBadge } from "./section";

/** `/addons/<name>/activities/<id>`: how something that was started from a page goes, and what came of it. */
export function activitiesPage(context: ConsoleContext): Hono {
  const nameIn = (c: Context): string => c.req.param("name") ?? "";
  const routes = new Hono();
  // The heading of an add-on's pages, for those whose other parts don't change.
  routes.get("/", (c) => {
    const about = { tab: "information", title: "Activities" } as const;
    return addonSubpage(c, context, { ...about, name: nameIn(c), body: html`` });
  });
  routes.get("/:id", (c) => {
    const name = nameIn(c);
    const activity = context.activities.one(c.req.param("id"));
    if (activity?.addon !== name) throw unknownActivity(c.req.param("id"));
    const { tab } = activity;
    const back =
      tab === "backups"
        ? html`<a href="/addons/${name}/backups">All backups of ${name}</a>`
        : html`<a href="/addons/${name}">Back to ${name}</a>`;
    const body = html`${oneActivity(activity, context.clock.now())}
      <p>${back}</p>`;
    const title = activityWords(activity);
    return addonSubpage(c, context, { name, tab, title, body, liveFrom: activityPath(activity) });
  });
  return routes.onError((error, c) => refusalPage(c, context, nameIn(c), error));
}

function oneActivity(activity: Activity, now: number): Html {
  const { startedAt, endedAt, ifConsoleEnds } = activity;
  return html`<section class="card" id="activity" data-live aria-labelledby="activity-title">
    <h2 id="activity-title">${activityWords(activity)} ${stateBadge(activity)}</h2>
    ${outcome(activity, now)}
    ${facts([
      ["Started", moment(startedAt)],
      endedAt === undefined
        ? undefined
        : [
            "Ended",
            html`${moment(endedAt)}, after ${durationText(Date.parse(endedAt) - Date.parse(startedAt))}`,
          ],
      isRunning(activity) ? ["If this console ends", asSentence(ifConsoleEnds)] : undefined,
    ])}
    ${activity.state.kind === "done" ? (activity.state.more ?? "") : ""}
  </section>`;
}

function outcome(activity: Activity, now: number): Html {
  const { state } = activity;
  switch (state.kind) {
    case "running":
      return html`${activityProgress(activity, now)}
        <p class="muted">You may leave this page: it goes on.</p>
        <noscript
          ><p><a href="${activityPath(activity)}">See how far it is by now</a></p></noscript
        >`;
    case "done": {
      const { words, warnings = [], links = [] } = state;
      return html`${words.map((sentence) => html`<p>${asSentence(sentence)}</p>`)}
      ${warnings.length === 0 ? "" : notice("warn", "To be known", warnings)}
      ${links.length === 0 ? "" : html`<p>${links.map(link)}</p>`}`;
    }
    case "failed":
      return failureNotice(state.report);
  }
}

function link({ href, text }: { readonly href: string; readonly text: string }): Html {
  return html`<a class="button" href="${href}">${text}</a> `;
}

function unknownActivity(id: string): Failure {
  return new Failure({
    code: "no-such-activity",
    operation: "show the activity",
    subject: id,
    cause: "this console does not know it: the console was started anew since, or it ended long ago",
    hint: "What came of it is on the add-on's pages: its backups, and what it was restored from",
  });
}
