import type { AddonStatus } from "../../../core/status";
import { redisCliUrl, redisUrl } from "../../../core/uri";
import { html, type Html } from "../../html";
import { copyable } from "../parts/copyable";
import { facts } from "../parts/facts";

/** How somebody gets in: behind a button until `password` is given, which then stands in the page. */
export function credentialsCard(
  { name, host, port }: AddonStatus,
  { password }: { readonly password: string | undefined },
): Html {
  return html`<section class="card" aria-labelledby="credentials">
    <h2 id="credentials">Credentials</h2>
    ${password === undefined ? hidden(name) : revealed({ host, port, password }, name)}
  </section>`;
}

function hidden(name: string): Html {
  return html`<p>
      The password, and the URLs that hold it, are not in this page until you reveal them. That somebody did
      is noted in the log.
    </p>
    <form method="post" action="/addons/${name}/credentials">
      <button class="primary">Reveal the credentials</button>
    </form>`;
}

interface Revealed {
  readonly host: string;
  readonly port: number;
  readonly password: string;
}

function revealed(endpoint: Revealed, name: string): Html {
  const library = html`${copyable({ id: "redis-url", label: "REDIS_URL", text: redisUrl(endpoint) })}
    <p class="muted">
      For client libraries, as the environment variable REDIS_URL. redis-cli takes it too.
    </p>`;
  const cli = html`${copyable({ id: "redis-cli-url", label: "the URL for redis-cli", text: redisCliUrl(endpoint) })}
    <p class="muted">
      For <code>redis-cli -u</code> alone: libraries would take the password for a user's name. Whoever may
      list the machine's processes sees it there; <code>redis-addon connect ${name}</code> shows it to nobody.
    </p>`;
  return html`${facts([
      ["User", html`<code>default</code>`],
      ["Password", copyable({ id: "password", label: "the password", text: endpoint.password })],
      ["REDIS_URL", library],
      ["For redis-cli", cli],
    ])}
    <p><a class="button" href="/addons/${name}">Hide the credentials</a></p>`;
}
