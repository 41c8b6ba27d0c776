import { createHash } from "node:crypto";
import type { Context } from "hono";
import { getCookie } from "hono/cookie";

/** Whose request it is, as something that can be compared and not used to log in. The guard has looked at the cookie. */
export function sessionOf(c: Context): string {
  // Consoles on other ports of this host have cookies of their own, and a browser sends them all.
  const ours = Object.entries(getCookie(c)).filter(([name]) => /^(?:__Host-)?redis-addon-\d+$/.test(name));
  const text = ours.map(([name, value]) => `${name}=${value}`).sort();
  return createHash("sha256").update(text.join("; ")).digest("hex");
}
