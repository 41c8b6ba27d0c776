import { log } from "../../../system/log";
import { activityPath } from "../../activities/section";
import { html } from "../../html";
import { asSentence } from "../parts/sentence";
import type { Decide } from "./decisions";
import { answerWith, type ReplicationRequest } from "./request";

/** Says what it would mean, and asks whether it shall be done. Nothing is touched. */
export async function lookAtDecision(request: ReplicationRequest, decide: Decide): Promise<Response> {
  const { title, consequences, program } = await decide(request);
  const { pathname, search } = new URL(request.c.req.url);
  const body = html`<section class="card" aria-labelledby="decision-title">
    <h2 id="decision-title">${title}</h2>
    <p>This would happen:</p>
    <ul>
      ${consequences.map((words) => html`<li>${asSentence(words)}</li>`)}
    </ul>
    ${program === undefined ? "" : html`<p>${program}</p>`}
    <form method="post" action="${pathname}${search}">
      <p><button class="danger">${title}</button></p>
    </form>
  </section>`;
  return answerWith(request, title, body);
}

/** Begins it, as it is decided now: what is not possible any more is refused. */
export async function decided(request: ReplicationRequest, decide: Decide): Promise<Response> {
  const { c, context, status } = request;
  const { title, operation, ifConsoleEnds, act } = await decide(request);
  const { name } = status;
  log(`${name}: somebody asked in the console: ${title}`);
  const activity = context.activities.start(
    { addon: name, tab: "information", title: operation, ifConsoleEnds },
    async (task) => {
      const result = await act(task);
      return { links: [{ href: `/addons/${name}`, text: name }], ...result };
    },
  );
  return c.redirect(activityPath(activity), 303);
}
