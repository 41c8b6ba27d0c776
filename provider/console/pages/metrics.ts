import { Hono, type Context } from "hono";
import { Failure } from "../../core/errors";
import { lookAtBackups } from "../../operations/look-at-backups";
import type { ConsoleContext } from "../context";
import { html, type Html } from "../html";
import { plot } from "../plots/plot";
import { taskOf } from "../request-task";
import { plotsOfBackups } from "./metrics/of-backups";
import { plotsOf } from "./metrics/of-samples";
import { addonPage } from "./parts/addon-page";
import { failureNotice } from "./parts/failure";
import { failurePage } from "./parts/failure-page";
import { unknownAddon } from "./parts/unknown-addon";

const RANGES = { "30m": ["30 minutes", 30 * 60_000], "24h": ["24 hours", 86_400_000] } as const;
type Range = keyof typeof RANGES;

/** `/addons/<name>/metrics`: what the console has measured since it runs, and what its backups were like. */
export function metricsPage(context: ConsoleContext): Hono {
  const routes = new Hono().get("/", async (c) => {
    const name = c.req.param("name") ?? "";
    const status = await context.watch.one(name, taskOf(c, context));
    if (status === undefined) return unknownAddon(c, context, name);
    const range = rangeIn(c);
    const now = context.clock.now();
    const shown = { from: now - RANGES[range][1], to: now };
    const measured = plotsOf(status, context.watch.samples(name, shown.from), shown);
    // The script that keeps these up to date asks no store each time.
    const here = `/addons/${name}/metrics?range=${range}`;
    const isWhole = c.req.query("part") === undefined;
    const body = html`${choice(name, range)}
      <div class="plots" id="measured" data-live>${measured.map(card)}</div>
      <p class="muted">
        Measured by the console while it runs, every few seconds, and kept for a day in its memory alone: a
        restart of the console begins anew. Times are UTC.
      </p>
      ${isWhole ? html`<div class="plots">${await backupPlots(c, context, name)}</div>` : ""}`;
    return c.html(
      addonPage({
        status,
        tab: "metrics",
        body,
        liveFrom: `${here}&part=measured`,
        styles: ["plots.css"],
        scripts: ["plots.js"],
      }),
    );
  });
  return routes.onError((error, c) => failurePage(c, error));
}

function rangeIn(c: Context): Range {
  return c.req.query("range") === "24h" ? "24h" : "30m";
}

function choice(name: string, chosen: Range): Html {
  return html`<nav class="choice" aria-label="Time shown">
    ${Object.entries(RANGES).map(
      ([range, [words]]) =>
        html`<a
          href="/addons/${name}/metrics?range=${range}"
          ${range === chosen ? html`aria-current="page"` : ""}
          >${words}</a
        >`,
    )}
  </nav>`;
}

function card(plotted: Parameters<typeof plot>[0]): Html {
  return html`<section class="card">${plot(plotted)}</section>`;
}

/** Of the newest hundred: a page's patience with the store is short. */
async function backupPlots(
  c: Context,
  context: ConsoleContext,
  name: string,
): Promise<Html | readonly Html[]> {
  const { stored } = await lookAtBackups(context.platform, name, undefined, taskOf(c, context));
  if (stored instanceof Failure) return failureNotice(stored);
  return plotsOfBackups(stored.page, context.clock.now()).map(card);
}
