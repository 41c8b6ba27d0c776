import type { Context } from "hono";
import type { ConsoleContext } from "../../context";
import { html } from "../../html";
import { page } from "../layout";

/** The answer to who asks for an add-on that isn't there: what there is instead. */
export async function unknownAddon(
  c: Context,
  { platform }: ConsoleContext,
  name: string,
): Promise<Response> {
  const [names, home] = await Promise.all([platform.names(), platform.home()]);
  const body = html`<h1>There is no add-on ${name}</h1>
    <section class="card">
      ${
        names.length === 0
          ? html`<p>There is none at all in this data home.</p>`
          : html`<p>There are:</p>
              <ul class="names">
                ${names.map((known) => html`<li><a href="/addons/${known}">${known}</a></li>`)}
              </ul>`
      }
      <p class="muted">
        Add-ons of another data home are in its own console, which
        <code>redis-addon console --home</code> opens.
      </p>
    </section>
    <p><a href="/">All add-ons</a></p>`;
  return c.html(page({ title: `There is no add-on ${name}`, body, home }), 404);
}
