import type { AddonStatus } from "../../../core/status";
import { planText } from "../../../core/plans";
import { html, type Html } from "../../html";
import { page, type PageContent, type TABS } from "../layout";
import { healthBadge } from "./badge";
import { roleText } from "./role";

interface AddonPage extends Pick<PageContent, "scripts" | "styles" | "liveFrom"> {
  readonly status: AddonStatus;
  readonly tab: keyof typeof TABS;
  /** What a page below the tab is called; absent: it is the tab's own. */
  readonly subpage?: string;
  /** Its headings begin with h2. */
  readonly body: Html;
}

/** A page of one add-on: its name, how it is, its tabs, and the content of one of them. */
export function addonPage({ status, tab, subpage, body, ...rest }: AddonPage): Html {
  const { name, health, home } = status;
  const heading = html`<div class="title" id="title" data-live>
    <h1>${name}</h1>
    ${healthBadge(health)}
    <p class="muted">${roleText(status)} · plan ${planText(status.wish.plan)}</p>
  </div>`;
  return page({ ...rest, title: name, addon: { name, tab, subpage }, heading, home, body });
}
