import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { ConsoleContext } from "../../context";
import type { Html } from "../../html";
import { taskOf } from "../../request-task";
import { addonPage } from "../parts/addon-page";
import { unknownAddon } from "../parts/unknown-addon";

interface Subpage {
  readonly name: string;
  /** Its headings begin with h2. */
  readonly body: Html;
  /** Absent: its live parts are where the page itself is. */
  readonly liveFrom?: string;
  /** Default: 200. */
  readonly status?: ContentfulStatusCode;
}

/** A page below an add-on's tab of backups; `unknownAddon`'s where there is no such add-on. */
export async function subpage(
  c: Context,
  context: ConsoleContext,
  { name, body, liveFrom, status: code = 200 }: Subpage,
): Promise<Response> {
  const status = await context.watch.one(name, taskOf(c, context));
  if (status === undefined) return unknownAddon(c, context, name);
  const live = liveFrom === undefined ? {} : { liveFrom };
  return c.html(addonPage({ status, tab: "backups", body, styles: ["backups.css"], ...live }), code);
}
