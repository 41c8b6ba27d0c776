import type { HomeIdentity } from "../../core/status";
import { html, type Html } from "../html";
import { mark } from "./parts/mark";

/** The tabs of an add-on's page, and where each lies below `/addons/<name>`. */
export const TABS = {
  information: { title: "Add-on information", path: "" },
  backups: { title: "Backups", path: "/backups" },
  metrics: { title: "Metrics", path: "/metrics" },
  log: { title: "Log", path: "/log" },
} as const;

const LOG_OUT = html`<form method="post" action="/logout"><button>Log out</button></form>`;

export interface PageContent {
  readonly title: string;
  readonly body: Html;
  /** Absent: a page of no add-on. */
  readonly addon?: {
    readonly name: string;
    readonly tab: keyof typeof TABS;
    /** What a page below the tab is called; absent: it is the tab's own. */
    readonly subpage?: string | undefined;
  };
  /** What stands above an add-on's tabs. */
  readonly heading?: Html;
  /** Whose add-ons these are; absent: not known, or nobody has logged in. */
  readonly home?: HomeIdentity | undefined;
  /** Files of `assets/` besides the usual ones, each a module: `charts.js`. */
  readonly scripts?: readonly string[];
  /** The same of style sheets. */
  readonly styles?: readonly string[];
  /** Where the live parts of this page are fetched from; absent: where the page itself lies. */
  readonly liveFrom?: string;
}

/**
 * A whole page. What lies in an element with `data-live` and an id is fetched again and again by the page's script, and
 * replaced where it has changed, as long as nobody's focus or selection is in it: forms belong outside.
 */
export function page({
  title,
  body,
  addon,
  heading,
  home,
  liveFrom,
  scripts = [],
  styles = [],
}: PageContent): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${titleOf(title, addon)}</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        ${["console.css", "parts.css", ...styles].map(
          (file) => html`<link rel="stylesheet" href="/assets/${file}" />`,
        )}
        ${["live.js", "copy.js", ...scripts].map(
          (file) => html`<script type="module" src="/assets/${file}"></script>`,
        )}
      </head>
      <body ${liveFrom === undefined ? "" : html`data-live-from="${liveFrom}"`}>
        <a class="skip" href="#content">Skip to the content</a>
        <header class="top">
          <a class="brand" href="/">${mark()} Redis add-ons</a>
          ${home === undefined ? "" : html`${homeName(home)} ${LOG_OUT}`}
        </header>
        <p id="connection" class="connection" role="status"></p>
        <main id="content" tabindex="-1">
          ${addon === undefined ? "" : html`${breadcrumb(addon)} ${heading ?? ""} ${tabs(addon)}`} ${body}
        </main>
        <p id="announcer" class="toast" role="status"></p>
      </body>
    </html>`;
}

/** The links between the pages of an add-on. */
function tabs({ name, tab }: NonNullable<PageContent["addon"]>): Html {
  return html`<nav class="tabs" aria-label="Pages of ${name}">
    ${Object.entries(TABS).map(
      ([key, { title, path }]) =>
        html`<a href="/addons/${name}${path}" ${key === tab ? html`aria-current="page"` : ""}>${title}</a>`,
    )}
  </nav>`;
}

function titleOf(title: string, addon: PageContent["addon"]): string {
  if (addon === undefined) return title;
  const below = addon.subpage === undefined ? [] : [addon.subpage];
  return [...below, title, TABS[addon.tab].title, "Redis add-ons"].join(" · ");
}

function homeName({ host, path }: HomeIdentity): Html {
  return html`<p class="home"><span class="unseen">Data home: </span><b>${host}</b> <span>${path}</span></p>`;
}

function breadcrumb({ name, tab, subpage }: NonNullable<PageContent["addon"]>): Html {
  const { title, path } = TABS[tab];
  return html`<nav class="breadcrumb" aria-label="Breadcrumb">
    <ol>
      <li><a href="/">Add-ons</a></li>
      <li><a href="/addons/${name}">${name}</a></li>
      ${
        subpage === undefined
          ? html`<li aria-current="page">${title}</li>`
          : html`<li><a href="/addons/${name}${path}">${title}</a></li>
              <li aria-current="page">${subpage}</li>`
      }
    </ol>
  </nav>`;
}
