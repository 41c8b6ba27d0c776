import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { log } from "../../system/log";
import { errorPage, logBug, notFoundPage } from "../error-page";
import { loggedInElsewhere, loggedOut, loginNeeded, loginSpent, type ServedBy } from "./login-pages";
import type { LoginTokens } from "./login-tokens";
import type { Sessions } from "./sessions";

/** Of what is sent to us; forms are a few fields. */
const LARGEST_BODY_BYTES = 64 * 1024;

export interface GuardOptions {
  readonly tokens: LoginTokens;
  readonly sessions: Sessions;
  /** Cookies know no ports: each console of one host has its own. */
  readonly cookie: string;
  /** Whether browsers reach us by https. */
  readonly isSecure: boolean;
  readonly servedBy: ServedBy;
  /** What anybody may have: it says nothing of any add-on. */
  readonly assets: Hono;
  /** Called at each request of somebody who has logged in. */
  readonly onUse: () => void;
}

/** Nobody reaches the pages without a session. Requests from pages of other sites don't come this far. */
export function guarded(app: Hono, options: GuardOptions): Hono {
  const { tokens, sessions, isSecure, assets, onUse, servedBy } = options;
  // Browsers then take it from this host alone, and with Secure alone.
  const cookie = isSecure ? `__Host-${options.cookie}` : options.cookie;
  const attributes = { path: "/", httpOnly: true, sameSite: "Strict", secure: isSecure } as const;
  const sessionOf = (c: Context) => getCookie(c, cookie) ?? "";

  return new Hono()
    .onError((error, c) => errorPage(c, error))
    .notFound(notFoundPage)
    .route("/assets", assets)
    .get("/favicon.ico", (c) => c.body(null, 204))
    .get("/login", (c) => {
      c.header("Referrer-Policy", "no-referrer");
      // What a browser fetches in advance, or only asks about, must not use the address up.
      if (c.req.raw.method !== "GET" || /prefetch/.test(c.req.header("sec-purpose") ?? ""))
        return c.body(null, 503);
      if (!tokens.redeem(c.req.query("token") ?? "")) {
        // Who goes back to it, or loads it again.
        if (sessions.touch(sessionOf(c))) return c.redirect("/", 303);
        return loginSpent(c, servedBy);
      }
      // Nobody can log out of it any more: this browser forgets it now.
      sessions.end(sessionOf(c));
      setCookie(c, cookie, sessions.begin(), attributes);
      log("console: somebody logged in");
      const site = c.req.header("sec-fetch-site");
      return site === "cross-site" || site === "same-site" ? loggedInElsewhere(c) : c.redirect("/", 303);
    })
    .use(async (c, next) => {
      if (!sessions.touch(sessionOf(c))) return loginNeeded(c, servedBy);
      onUse();
      await next();
      logBug(c);
    })
    .use(bodyLimit({ maxSize: LARGEST_BODY_BYTES, onError: (c) => c.text("That is too much.", 413) }))
    .post("/logout", (c) => {
      sessions.end(sessionOf(c));
      deleteCookie(c, cookie, attributes);
      return loggedOut(c, servedBy);
    })
    .route("/", app);
}
