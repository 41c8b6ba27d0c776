import type { AddonStatus } from "../../../core/status";
import { redisCliUrl, redisUrl } from "../../../core/uri";
import { html, type Html } from "../../html";
import { copyable } from "../parts/copyable";
import { type Fact, facts } from "../parts/facts";

/** Where somebody gets in, and with what: behind a button until `password` is given, which then stands in the page. */
export function connectionCard(
  { name, host, port }: AddonStatus,
  { password }: { readonly password: string | undefined },
): Html {
  return html`<section class="card" aria-labelledby="connection-title">
    <h2 id="connection-title">Connection</h2>
    ${password === undefined ? hidden({ host, port }, name) : revealed({ host, port, password }, name)}
  </section>`;
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

function where({ host, port }: Endpoint): readonly Fact[] {
  return [
    ["Host", copyable({ id: "host", label: "the host", text: host })],
    ["Port", copyable({ id: "port", label: "the port", text: String(port) })],
    ["User", html`<code>default</code>`],
  ];
}

function hidden(endpoint: Endpoint, name: string): Html {
  return html`${facts([
      ...where(endpoint),
      [
        "Credentials",
        html`hidden
          <p class="muted">
            The password, and the URLs that hold it, are not in this page until you reveal them. That somebody
            did is noted in the log.
          </p>`,
      ],
    ])}
    <form method="post" action="/addons/${name}/credentials">
      <button class="primary">Reveal the credentials</button>
    </form>`;
}

interface Revealed extends Endpoint {
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
      ...where(endpoint),
      ["Password", copyable({ id: "password", label: "the password", text: endpoint.password })],
      ["REDIS_URL", library],
      ["For redis-cli", cli],
    ])}
    <p><a class="button" href="/addons/${name}">Hide the credentials</a></p>`;
}
