import type { ServerWish } from "../../../core/facets";
import { planText } from "../../../core/plans";
import { html, type Html } from "../../html";
import { facts } from "../parts/facts";

const RIGHTS: Readonly<Record<ServerWish["access"], string>> = {
  standard: "everyday commands, no server administration",
  advanced: "also MONITOR, SLOWLOG, LATENCY, CLIENT KILL and PAUSE",
};

const PERSISTENCE: Readonly<Record<ServerWish["persistence"], string>> = {
  everysec: "on the disk within a second or two",
  always: "on the disk before each answer",
  none: "in memory alone: a crash ends the data",
};

/** What was declared of the server. It changes with the program alone. */
export function configurationCard(wish: ServerWish): Html {
  const { plan, tier, access, evictionPolicy, persistence, settings, labels, deletion } = wish;
  return html`<section class="card" id="configuration" data-live aria-labelledby="configuration-title">
    <h2 id="configuration-title">Configuration</h2>
    ${facts([
      ["Plan", planText(plan)],
      ["Tier", tier],
      ["Eviction policy", html`<code>${evictionPolicy}</code>`],
      ["Rights", explained(access, RIGHTS[access])],
      ["Persistence", explained(persistence, PERSISTENCE[persistence])],
      ["Settings", namesAndTexts(settings)],
      ["Labels", namesAndTexts(labels)],
      ["When deleted", deletion.finalBackup ? "a final backup is taken first" : "no final backup is taken"],
    ])}
  </section>`;
}

function explained(word: string, meaning: string): Html {
  return html`${word}<br /><span class="muted">${meaning}</span>`;
}

function namesAndTexts(entries: Readonly<Record<string, string>>): Html | string {
  const listed = Object.entries(entries);
  if (listed.length === 0) return "none";
  return html`<ul>
    ${listed.map(([name, text]) => html`<li><code>${name}</code> ${text === "" ? html`<span class="muted">empty</span>` : text}</li>`)}
  </ul>`;
}
