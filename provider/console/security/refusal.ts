import type { IncomingHttpHeaders } from "node:http";
import type { Ours } from "./ours";

/** Longer than any address of the console. */
const LONGEST_TARGET = 2_048;
/** Those that change nothing, here too. */
const SAFE_METHODS = new Set(["GET", "HEAD"]);
const METHODS = new Set([...SAFE_METHODS, "POST"]);

export interface AskedFor {
  readonly method: string | undefined;
  /** What follows the method: a path, unless somebody takes us for a proxy. */
  readonly target: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

export interface Refusal {
  readonly status: 400 | 403 | 405 | 414 | 421;
  /** A sentence. */
  readonly why: string;
}

/**
 * Why a request is not even looked at, whoever sends it; absent: it may come from one of our own pages, or from somebody
 * who typed or followed an address.
 *
 * A page of another site can make a browser send us requests: by a name that it has pointed at this machine (the Host
 * tells), by a form or a script (the Origin tells, and what browsers say in Sec-Fetch-*). A site is a host without its
 * port: other programs' pages on this machine are of the same site, and are as foreign to us.
 */
export function refusalOf({ method = "", target = "", headers }: AskedFor, ours: Ours): Refusal | undefined {
  if (!METHODS.has(method)) return { status: 405, why: "Only GET, HEAD and POST are understood here." };
  // A link that repeats `//host` would lead there.
  if (!/^\/(?![/\\])/.test(target)) return { status: 400, why: "Only paths are understood here." };
  if (target.length > LONGEST_TARGET) return { status: 414, why: "The address is too long." };
  const host = headers.host?.toLowerCase() ?? "";
  if (!ours.hosts.has(host)) return { status: 421, why: wrongHost(ours) };

  const { origin, "sec-fetch-site": site } = headers;
  const own = `${ours.scheme}://${host}`;
  // A page that keeps its referrer to itself leaves out its origin as well; what browsers say of it, no page can change.
  const isOwn = origin === own || (origin === "null" && site === "same-origin");
  const crossOrigin = { status: 403, why: "A page of another site asked for this." } as const;
  if (origin !== undefined && !isOwn) return crossOrigin;
  const isFromElsewhere = site !== undefined && site !== "same-origin";
  if (SAFE_METHODS.has(method))
    return isFromElsewhere && site !== "none" && !isNavigation(headers) ? crossOrigin : undefined;
  if (isFromElsewhere) return crossOrigin;
  if (origin === undefined)
    return { status: 403, why: "A change has to say which page asked for it (the header Origin)." };
  return undefined;
}

/** Whether somebody goes to a page: in a tab, not in a frame of another page. */
function isNavigation(headers: IncomingHttpHeaders): boolean {
  return headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
}

function wrongHost({ origin, hosts }: Ours): string {
  const [first, ...others] = [...hosts];
  const spelt = others.length === 0 ? "" : ` (the header Host: ${[first, ...others].join(", ")})`;
  return `This console answers as ${origin} alone${spelt}. A forwarded port has to be the same on both sides, and a proxy has to pass on the header Host.`;
}
