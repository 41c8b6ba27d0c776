import type { AddonRecord } from "../../../core/facets";
import type { HomeIdentity } from "../../../core/status";
import { html, type Html } from "../../html";
import { addonProgram } from "../../snippets/addon-program";
import { homeOption } from "../../snippets/usual-home";
import { codeBlock } from "../parts/copyable";

/** Who owns what a person makes here, until a program's stack takes it. */
export const CONSOLE_OWNER = { project: "redis-addon-console", stack: "restored" } as const;

/** How a Pulumi program takes over an add-on that was made here. */
export function adoption({ name, owner, server }: AddonRecord, home: HomeIdentity): Html {
  const program = addonProgram({ name, owner, wish: server.wish, home });
  const command = `redis-addon hand-over ${name}${homeOption(home)} --to <project>/<stack>`;
  return html`<h2>Let a Pulumi program adopt ${name}</h2>
    <p>It was made in this console, and belongs to ${owner.project}/${owner.stack}.</p>
    <p>Hand it over to the program's stack:</p>
    ${codeBlock({ id: "hand-over", label: "the command that hands it over", text: command })}
    <p>Then declare it; the next <code>pulumi up</code> adopts it with its data:</p>
    ${codeBlock({ id: "program", label: "the program that declares it", text: program })}`;
}
