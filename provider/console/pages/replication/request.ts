import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { AddonStatus } from "../../../core/status";
import type { ConsoleContext } from "../../context";
import { html, type Html } from "../../html";
import { addonPage } from "../parts/addon-page";
import { headingOf } from "../parts/addon-subpage";
import type { PendingFollows } from "./pending-follows";

/** What one request about an add-on's replication is about. */
export interface ReplicationRequest {
  readonly c: Context;
  readonly context: ConsoleContext;
  readonly pending: PendingFollows;
  /** Looked at just now. */
  readonly status: AddonStatus;
}

/** The answer: a page below an add-on's tab of information, and what it is called. Its headings begin with h2. */
export async function answerWith(
  { c, status }: Pick<ReplicationRequest, "c" | "status">,
  title: string,
  body: Html,
  code: ContentfulStatusCode = 200,
): Promise<Response> {
  const whole = html`${body}
    <p><a href="/addons/${status.name}">Back to ${status.name}</a></p>`;
  return c.html(
    addonPage({
      ...{ status, tab: "information", subpage: title, body: whole },
      ...{ liveFrom: headingOf(status.name), styles: ["replication.css"] },
    }),
    code,
  );
}
