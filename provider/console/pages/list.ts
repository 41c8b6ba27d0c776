import { Hono } from "hono";
import { ageText } from "../../operations/words/age";
import type { ConsoleContext } from "../context";
import { html, type Html } from "../html";
import { taskOf } from "../request-task";
import type { Seen } from "../watch/addon-watch";
import { page } from "./layout";
import { firstAddon } from "./list/first-addon";
import { hasProblem, problemsFirst, sharedProblems } from "./list/order";
import { hasAll, isFound, wordsOf } from "./list/search";
import { addonTable } from "./list/table";
import { badge } from "./parts/badge";
import { problemList } from "./parts/problems";
import { refusesWrites } from "./parts/usage";

const STALE_MS = 30_000;

/** `/`: every add-on, problems first; `?q=` leaves those that have its words. */
export function listPage(context: ConsoleContext): Hono {
  return new Hono().get("/", async (c) => {
    const [seen, home] = await Promise.all([context.watch.all(taskOf(c, context)), context.platform.home()]);
    const query = c.req.query("q")?.trim() ?? "";
    const body = listBody(seen, { query, now: context.clock.now() });
    return c.html(page({ title: "Redis add-ons", home, body }));
  });
}

interface Asked {
  readonly query: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

function listBody(seen: Seen, { query, now }: Asked): Html {
  const count = countOf(seen);
  const shared = sharedProblems(seen.addons);
  const words = wordsOf(query);
  const listed = {
    addons: problemsFirst(seen.addons.filter((status) => isFound(status, words))),
    unreadable: seen.unreadable.filter(({ subject, message }) => hasAll(words, `${subject}\n${message}`)),
    pending: seen.pending.filter((name) => hasAll(words, name)),
    shared,
    now,
  };
  const found = countOf(listed);
  return html`<div class="head">
      <div class="title">
        <h1>Add-ons</h1>
        ${counts(seen)}
      </div>
      ${count === 0 ? "" : searchForm(query)}
    </div>
    ${problemList(shared)}
    <div id="addons" data-live>
      ${staleness(seen, now)}
      ${query === "" ? "" : html`<p>${found} of them ${found === 1 ? "has" : "have"} “${query}”.</p>`}
      ${count === 0 ? firstAddon() : found === 0 ? "" : addonTable(listed)}
    </div>
    <p><a href="/deleted">Backups of deleted add-ons</a></p>`;
}

function countOf({ addons, unreadable, pending }: Pick<Seen, "addons" | "unreadable" | "pending">): number {
  return addons.length + unreadable.length + pending.length;
}

function counts(seen: Seen): Html {
  const { addons, unreadable } = seen;
  const count = countOf(seen);
  const problems = addons.filter(hasProblem).length + unreadable.length;
  const state = problems === 0 ? badge("good", "no problems") : badge("bad", `${problems} with problems`);
  const full = addons.filter(refusesWrites).length;
  const words = html`<strong>${count === 1 ? "1 add-on" : `${count} add-ons`}</strong> ${state}
    ${full === 0 ? "" : badge("warn", `${full} full`)}`;
  return html`<p id="counts" data-live>${count === 0 ? "" : words}</p>`;
}

/** Where looking takes long, what is shown is not how it is. */
function staleness({ at }: Seen, now: number): Html | "" {
  if (at === undefined || now - at < STALE_MS) return "";
  return html`<p class="muted">As of ${ageText(now - at)} ago: looking at all of them takes that long.</p>`;
}

function searchForm(query: string): Html {
  return html`<form class="search inline" method="get" action="/" role="search">
    <div>
      <label for="q">Find by name, role, plan, health, stack or label</label>
      <input type="search" id="q" name="q" value="${query}" maxlength="200" />
    </div>
    <button>Search</button>
    ${query === "" ? "" : html`<a class="button" href="/">Show all</a>`}
  </form>`;
}
