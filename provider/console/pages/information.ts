import { Hono } from "hono";
import type { ConsoleContext } from "../context";
import { html } from "../html";
import { page } from "./layout";

export function informationPage(_context: ConsoleContext): Hono {
  return new Hono().get("/", (c) => {
    const name = c.req.param("name") ?? "";
    return c.html(page({ title: name, addon: { name, tab: "information" }, body: html`<h1>${name}</h1>` }));
  });
}
