import type { Context } from "hono";
import { html, type Html } from "../html";
import { page } from "../pages/layout";

/** Who serves the console: the agent, or somebody at a terminal. */
export type ServedBy = "agent" | "terminal";

function howToLogIn(servedBy: ServedBy): Html {
  const ways = {
    agent: html`run <code>redis-addon console</code> on the machine that serves this page, and open the
      address that it prints`,
    terminal: html`press Enter where <code>redis-addon console --listen</code> runs, and open the address that
      it prints`,
  };
  return html`<p>To log in, ${ways[servedBy]}. The address works once, for ten minutes.</p>`;
}

/** For who has no session, or one that has ended. */
export function loginNeeded(c: Context, servedBy: ServedBy) {
  // A browser keeps the session from us where a page of another site leads here; a link of our own brings it along.
  const site = c.req.header("sec-fetch-site");
  const isLedHere = site === "cross-site" || site === "same-site";
  const { pathname, search } = new URL(c.req.url);
  // With two slashes at its beginning it would name another host.
  const here = pathname.replace(/^\/+/, "/") + search;
  const body = html`<h1>Log in</h1>
    ${howToLogIn(servedBy)}
    <p>
      Whoever was logged in before is not any more once the console was started again, or after twelve hours
      in which it was not used.
    </p>
    ${isLedHere ? html`<p><a href="${here}">I am logged in already: go on</a></p>` : ""}`;
  return c.html(page({ title: "Log in", body }), 401);
}

/** For an address that has logged somebody in before, or is too old. */
export function loginSpent(c: Context, servedBy: ServedBy) {
  const body = html`<h1>This address is used up</h1>
    <p>
      It has logged somebody in before, or it is older than ten minutes, or the console was started again
      since.
    </p>
    ${howToLogIn(servedBy)}`;
  return c.html(page({ title: "Log in", body }), 401);
}

/** Goes on by itself: as from a page of our own, to which a browser gives the session that was just begun. */
export function loggedInElsewhere(c: Context) {
  return c.html(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta http-equiv="refresh" content="0; url=/" />
          <title>Logged in</title>
        </head>
        <body>
          <p><a href="/">You are logged in: go on</a></p>
        </body>
      </html>`,
  );
}

export function loggedOut(c: Context, servedBy: ServedBy) {
  const body = html`<h1>You have logged out</h1>
    ${howToLogIn(servedBy)}`;
  return c.html(page({ title: "Logged out", body }));
}
