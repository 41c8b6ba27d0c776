import { html, type Html } from "../html";

/** The tabs of an add-on's page, and where each lies below `/addons/<name>`. */
export const TABS = {
  information: { title: "Add-on information", path: "" },
  backups: { title: "Backups", path: "/backups" },
  metrics: { title: "Metrics", path: "/metrics" },
  log: { title: "Log", path: "/log" },
} as const;

export interface PageContent {
  readonly title: string;
  readonly body: Html;
  /** Absent: a page of no add-on. */
  readonly addon?: { readonly name: string; readonly tab: keyof typeof TABS };
}

/** A whole page. What lies in an element with `data-live` and an id is fetched again and again by the page's script. */
export function page({ title, body, addon }: PageContent): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="stylesheet" href="/assets/console.css" />
        <script src="/assets/live.js" defer></script>
      </head>
      <body>
        <header><a href="/">Redis add-ons</a></header>
        ${addon === undefined ? "" : tabs(addon)}
        <main>${body}</main>
      </body>
    </html>`;
}

function tabs({ name, tab }: NonNullable<PageContent["addon"]>): Html {
  return html`<nav aria-label="${name}">
    ${Object.entries(TABS).map(
      ([key, { title, path }]) =>
        html`<a href="/addons/${name}${path}" ${key === tab ? html`aria-current="page"` : ""}>${title}</a>`,
    )}
  </nav>`;
}
