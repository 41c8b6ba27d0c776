import type { AddonStatus, ServerState } from "../../../core/status";
import { authority } from "../../../core/uri";
import { ageText } from "../../../operations/words/age";
import { html, type Html } from "../../html";
import { badge, type Tone } from "../parts/badge";
import { facts, type Fact } from "../parts/facts";
import { connectionUsage, memoryUsage } from "../parts/usage";

const TONES: Readonly<Record<ServerState["state"], Tone>> = {
  running: "good",
  starting: "busy",
  stopped: "bad",
  unreachable: "bad",
};

/** Where the server is and how it is at this moment. */
export function serverCard(status: AddonStatus): Html {
  const { host, port, server, wish } = status;
  return html`<section class="card" id="server" data-live aria-labelledby="server-title">
    <h2 id="server-title">Server</h2>
    ${facts([
      ["State", badge(TONES[server.state], server.state)],
      ["Listens on", listening(wish.bind, host, port)],
      ["Version", server.state === "running" ? server.version : wish.version],
      ["Memory", memoryUsage(status)],
      ["Connections", connectionUsage(status)],
      ...figures(server),
    ])}
  </section>`;
}

function figures(server: ServerState): readonly Fact[] {
  if (server.state !== "running") return [];
  return [
    ["Keys", server.keys.toLocaleString("en-GB")],
    ["Running for", ageText(server.uptimeSeconds * 1000)],
  ];
}

function listening(bind: string, host: string, port: number): string {
  const isLocal = bind.split(/\s+/).every((address) => address.startsWith("127.") || address === "::1");
  return isLocal ? `${authority(host, port)}, from this machine alone` : `${bind}, port ${port}`;
}
