import { Hono } from "hono";
import { asFailure, Failure } from "../../core/errors";
import { forShell } from "../../core/for-shell";
import { parseSlot } from "../../core/slot";
import type { HomeIdentity } from "../../core/status";
import { backupsOfDeleted, type DeletedBackups, type DeletedCatalog } from "../../operations/deleted-backups";
import type { ConsoleContext } from "../context";
import { html, type Html } from "../html";
import { taskOf } from "../request-task";
import { restoringProgram } from "../snippets/restoring-program";
import { patiently } from "./backups/patiently";
import { page } from "./layout";
import { codeBlock } from "./parts/copyable";
import { failureNotice } from "./parts/failure";
import { failurePage } from "./parts/failure-page";
import { momentAndAge } from "./parts/time";

/** `/deleted`: what add-ons that are no longer there have left in their data home, and how it is brought back. */
export function deletedPage(context: ConsoleContext): Hono {
  const routes = new Hono().get("/", async (c) => {
    const { platform, clock } = context;
    const home = await platform.home();
    const about = { operation: "list", subject: "the backups of deleted add-ons" };
    const found = await patiently(taskOf(c, context), about, (task) =>
      backupsOfDeleted(platform, task),
    ).catch((error: unknown) => asFailure(error, about.operation, about.subject));
    const body = html`<h1>Backups of deleted add-ons</h1>
      ${
        found instanceof Failure
          ? failureNotice(found)
          : found === undefined || home === undefined
            ? html`<p>There are none.</p>`
            : listed(found, { home, now: clock.now() })
      }
      <p><a href="/">All add-ons</a></p>`;
    return c.html(page({ title: "Backups of deleted add-ons · Redis add-ons", body, home }));
  });
  return routes.onError((error, c) => failurePage(c, error));
}

interface Shown {
  readonly home: HomeIdentity;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

function listed({ destination, catalogs }: DeletedBackups, shown: Shown): Html {
  return html`<p>
      A deleted add-on leaves its backups, the final one among them. These lie in
      <code>${destination}</code>; those in a destination of its own are listed by
      <code>redis-addon backup list --store &lt;URL&gt;</code>. No schedule removes them any more.
    </p>
    ${
      catalogs.length === 0
        ? html`<p>There are none.</p>`
        : catalogs.map((catalog) => card(catalog, destination, shown))
    }`;
}

function card(found: DeletedCatalog, destination: string, { home, now }: Shown): Html {
  const { addon, catalog, backups, newest, newestVerified } = found;
  const store = forShell(destination);
  const commands = [
    "# What there is, and the newest as files that any redis-server opens:",
    `redis-addon backup list ${catalog} --store ${store}`,
    `redis-addon backup restore ${catalog} latest --store ${store} --folder ./copy`,
    "# Removes one for ever:",
    `redis-addon backup delete ${catalog} <backup> --store ${store}`,
  ].join("\n");
  return html`<section class="card" aria-labelledby="catalog-${catalog}">
    <h2 id="catalog-${catalog}">${addon}</h2>
    <p>
      ${backups === 1 ? "One backup" : `${backups} backups`}, the newest ${slotText(newest, now)}, the newest
      verified one ${newest === newestVerified ? "the same" : slotText(newestVerified, now)}.
    </p>
    <details>
      <summary>Bring it back: the program that declares it with these data</summary>
      ${codeBlock({ id: `program-${catalog}`, label: `the program that restores ${addon}`, text: restoringProgram(addon, home) })}
    </details>
    <details>
      <summary>On the command line</summary>
      ${codeBlock({ id: `commands-${catalog}`, label: `the commands for the backups of ${addon}`, text: commands })}
    </details>
  </section>`;
}

function slotText(name: string | undefined, now: number): Html | string {
  const slot = name === undefined ? undefined : parseSlot(name);
  return slot === undefined ? "none" : momentAndAge(new Date(slot).toISOString(), now);
}
