import { Hono, type Context } from "hono";
import { readLog, USUAL_LOG_LINES } from "../../operations/logs";
import { LOG_SOURCES, type LogLine, type LogSource } from "../../platforms/contract";
import type { ConsoleContext } from "../context";
import { html, type Html } from "../html";
import { homeOption } from "../snippets/usual-home";
import { taskOf } from "../request-task";
import { addonPage } from "./parts/addon-page";
import { failurePage } from "./parts/failure-page";
import { moment } from "./parts/time";
import { unknownAddon } from "./parts/unknown-addon";

const SOURCE_WORDS: Readonly<Record<LogSource, string>> = {
  server: "Server",
  agent: "Agent and console",
};

/** `/addons/<name>/log`: the newest lines of its server and of who looks after it. */
export function logPage(context: ConsoleContext): Hono {
  const routes = new Hono().get("/", async (c) => {
    const name = c.req.param("name") ?? "";
    const status = await context.watch.one(name, taskOf(c, context));
    if (status === undefined) return unknownAddon(c, context, name);
    const source = sourceIn(c);
    const sources = source === undefined ? LOG_SOURCES : [source];
    const { lines } = await readLog(context.platform, name, { sources });
    const body = html`<section class="card">
      <h2>Newest ${USUAL_LOG_LINES} lines</h2>
      ${choice(name, source)}
      <div class="scroll" tabindex="0" role="region" aria-label="Log of ${name}" id="log" data-live>
        ${lines.length === 0 ? html`<p>Nothing was written yet.</p>` : table(lines)}
      </div>
      <p class="muted">
        The newest first; times are UTC. All of it, as it comes:
        <code>redis-addon logs ${name}${homeOption(status.home)} --follow</code>
      </p>
    </section>`;
    return c.html(addonPage({ status, tab: "log", body, styles: ["plots.css"] }));
  });
  return routes.onError((error, c) => failurePage(c, error));
}

function sourceIn(c: Context): LogSource | undefined {
  return LOG_SOURCES.find((source) => source === c.req.query("source"));
}

function choice(name: string, chosen: LogSource | undefined): Html {
  const link = (source: LogSource | undefined, words: string) =>
    html`<a
      href="/addons/${name}/log${source === undefined ? "" : `?source=${source}`}"
      ${source === chosen ? html`aria-current="page"` : ""}
      >${words}</a
    >`;
  return html`<nav class="choice" aria-label="Whose lines">
    ${link(undefined, "All")} ${LOG_SOURCES.map((source) => link(source, SOURCE_WORDS[source]))}
  </nav>`;
}

function table(lines: readonly LogLine[]): Html {
  return html`<table class="log">
    <caption class="unseen">
      Log lines, the newest first
    </caption>
    <thead>
      <tr>
        <th scope="col">Time</th>
        <th scope="col">From</th>
        <th scope="col">What</th>
      </tr>
    </thead>
    <tbody>
      ${lines.toReversed().map(
        ({ at, source, level, text }) =>
          html`<tr class="${level}">
            <td>${at === undefined ? "" : moment(at)}</td>
            <td>${SOURCE_WORDS[source]}</td>
            <td>${level === "warning" ? html`<b>Warning:</b> ` : ""}${text}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}
