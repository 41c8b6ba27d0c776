import { Hono } from "hono";
import type { ConsoleContext } from "../context";
import { html } from "../html";
import { taskOf } from "../request-task";
import { page } from "./layout";

/** `/`: every add-on, problems first. */
export function listPage(context: ConsoleContext): Hono {
  return new Hono().get("/", async (c) => {
    const { addons } = await context.watch.all(taskOf(c, context));
    const body = html`<h1>Redis add-ons</h1>
      <ul>
        ${addons.map(({ name, health }) => html`<li><a href="/addons/${name}">${name}</a> ${health}</li>`)}
      </ul>`;
    return c.html(page({ title: "Redis add-ons", body }));
  });
}
