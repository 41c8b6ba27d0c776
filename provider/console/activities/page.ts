import { Hono, type Context } from "hono";
import { Failure } from "../../core/errors";
import { durationText } from "../../operations/restore/restore-words";
import type { ConsoleContext } from "../context";
import { html, type Html } from "../html";
import { refusalPage } from "../pages/backups/refusal-page";
import { subpage } from "../pages/backups/subpage";
import { facts } from "../pages/parts/facts";
import { failureNotice } from "../pages/parts/failure";
import { asSentence, notice } from "../pages/parts/problems";
import { moment } from "../pages/parts/time";
import { type Activity, activityWords, isRunning } from "./activities";
import { activityProgress } from "./progress";
import { activitiesSection, activityPath, stateBadge } from "./section";

/** `/addons/<name>/activities`: what was started from pages; `/<id>`: how one of them goes, and what came of it. */
export function activitiesPage(context: ConsoleContext): Hono {
  const nameIn = (c: Context): string => c.req.param("name") ?? "";
  const routes = new Hono()
    // The live parts of the page of backups, without a look at their store.
    .get("/", (c) => subpage(c, context, { name: nameIn(c), body: activitiesSection(context, nameIn(c)) }))
    .get("/:id", (c) => {
      const name = nameIn(c);
      const activity = context.activities.one(c.req.param("id"));
      if (activity?.addon !== name) throw unknownActivity(c.req.param("id"));
      const body = html`${oneActivity(activity, context.clock.now())}
        <p><a href="/addons/${name}/backups">All backups of ${name}</a></p>`;
      return subpage(c, context, { name, body, liveFrom: activityPath(activity) });
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
