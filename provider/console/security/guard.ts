import { Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import type { LoginTokens } from "./login-tokens";
import type { Sessions } from "./sessions";

export interface GuardOptions {
  readonly origin: string;
  readonly tokens: LoginTokens;
  readonly sessions: Sessions;
  /** Cookies know no ports: each data home's console has its own. */
  readonly cookie: string;
}

/** Nobody reaches the pages without a session, and no page of another site makes one do anything here. */
export function guarded(app: Hono, { tokens, sessions, cookie }: GuardOptions): Hono {
  const guard = new Hono();
  guard.get("/login", (c) => {
    if (!tokens.redeem(c.req.query("token") ?? "")) return c.text("This address was used before.", 401);
    setCookie(c, cookie, sessions.begin(), { httpOnly: true, sameSite: "Strict", path: "/" });
    return c.redirect("/", 303);
  });
  guard.use(async (c, next) => {
    if (!sessions.touch(getCookie(c, cookie) ?? "")) return c.text("Log in: redis-addon console", 401);
    return next();
  });
  return guard.route("/", app);
}
