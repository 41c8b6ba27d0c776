import type { Context } from "hono";
import { asFailure } from "../../../core/errors";
import { html } from "../../html";
import { page } from "../layout";
import { failureNotice } from "./failure";

/** What is shown in place of a page that could not be made. */
export function failurePage(c: Context, error: unknown): Response | Promise<Response> {
  const failure = asFailure(error, "show", c.req.path);
  // With two slashes at its beginning it would name another host.
  const here = c.req.path.replace(/^\/+/, "/");
  const body = html`<h1>This page can't be shown</h1>
    ${failureNotice(failure)}
    <p><a href="${here}">Try again</a> · <a href="/">All add-ons</a></p>`;
  return c.html(page({ title: "This page can't be shown", body }), failure.transient ? 503 : 500);
}
