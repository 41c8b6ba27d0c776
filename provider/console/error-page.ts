import type { Context } from "hono";
import { Failure } from "../core/errors";
import { log } from "../system/log";
import { html } from "./html";
import { page } from "./pages/layout";
import { failureNotice } from "./pages/parts/failure";
import { failurePage } from "./pages/parts/failure-page";

/** Failures that mean: there is nothing of that name. */
const NOT_FOUND = new Set(["no-such-addon", "no-such-backup", "no-such-catalog", "bad-name"]);

/** What somebody sees whose page could not be made. */
export function errorPage(c: Context, error: Error) {
  if (error instanceof Failure && NOT_FOUND.has(error.code)) return c.html(absent(failureNotice(error)), 404);
  return failurePage(c, error);
}

/** Logs where in the program a page failed, whoever has told the user of it; a Failure's words are for him. */
export function logBug({ error, req }: Context): void {
  // Where who asked has gone, that is why it failed.
  if (error === undefined || error instanceof Failure || req.raw.signal.aborted) return;
  // As it was sent: what a path says decoded may be lines of its own.
  log(`console: ${req.method} ${new URL(req.url).pathname}: ${error.stack ?? error.message}`);
}

export function notFoundPage(c: Context) {
  return c.html(absent(html`<p>There is no such page.</p>`), 404);
}

function absent(why: ReturnType<typeof html>) {
  return page({
    title: "Not found",
    body: html`<h1>Not found</h1>
      ${why}
      <p><a href="/">All add-ons</a></p>`,
  });
}
