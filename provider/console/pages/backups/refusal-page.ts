import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { asFailure, type Failure } from "../../../core/errors";
import type { ConsoleContext } from "../../context";
import { errorPage } from "../../error-page";
import { html, type Html } from "../../html";
import { addonSubpage } from "../parts/addon-subpage";
import { failureNotice } from "../parts/failure";

/** What was given in a form, or left out of it. */
const BAD_INPUT = new Set(["bad-input", "bad-name", "not-confirmed", "needs-key"]);

/**
 * The answer to something that was asked for and can't be done, in the failure's words; `more` stands below them. Of an
 * add-on that isn't there, what there is instead.
 */
export async function refusalPage(
  c: Context,
  context: ConsoleContext,
  name: string,
  error: unknown,
  more: Html | "" = "",
): Promise<Response> {
  const failure = asFailure(error, "show", c.req.path);
  const body = html`${failureNotice(failure)} ${more}
    <p><a href="/addons/${name}/backups">All backups of ${name}</a></p>`;
  const about = { tab: "backups", title: "It can't be done", code: statusOf(failure) } as const;
  const answered = addonSubpage(c, context, { ...about, name, body });
  // The add-on itself may not be readable; the first failure says more than that.
  return answered.catch(() => errorPage(c, failure));
}

/** HTTP's word for it: the page says the rest. */
export function statusOf({ code, transient }: Failure): ContentfulStatusCode {
  if (code.startsWith("no-such-") || code === "not-found") return 404;
  if (BAD_INPUT.has(code)) return 400;
  if (transient) return 503;
  return code === "unexpected" ? 500 : 409;
}
