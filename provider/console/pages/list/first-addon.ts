import { html, type Html } from "../../html";
import { codeBlock } from "../parts/copyable";

const PROGRAM = `import { RedisAddon } from "pulumi-redis-addon";

const cache = new RedisAddon("cache", { plan: "s_mono" });

export const redisUrl = cache.redisUrl;
`;

/** What is shown where there is no add-on yet: how to make one. */
export function firstAddon(): Html {
  return html`<section class="card">
    <h2>There are no add-ons in this data home yet</h2>
    <p>
      An add-on is declared in a Pulumi program. In a project of yours,
      <code>npm install pulumi-redis-addon</code>, then:
    </p>
    ${codeBlock({ id: "first-program", label: "the program", text: PROGRAM })}
    <p>With <code>pulumi up</code> it is made, and shows up here.</p>
  </section>`;
}
