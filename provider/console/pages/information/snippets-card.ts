import type { AddonStatus } from "../../../core/status";
import { html, type Html } from "../../html";
import { addonProgram } from "../../snippets/addon-program";
import { environmentLine, LIBRARIES, redisCli, type Snippet } from "../../snippets/clients";
import { homeOption } from "../../snippets/usual-home";
import { codeBlock } from "../parts/copyable";

/** How programs and people reach the add-on, and the program that declares it. */
export function snippetsCard(status: AddonStatus): Html {
  const { name, home } = status;
  const cli = { id: "redis-cli", title: "redis-cli", text: redisCli(status) };
  const program = { id: "pulumi", title: "Pulumi: this add-on as a program", text: addonProgram(status) };
  const handOver = `redis-addon hand-over ${name}${homeOption(home)} --to <project/stack>`;
  return html`<section class="card" aria-labelledby="snippets">
    <h2 id="snippets">Snippets</h2>
    <p>
      Programs take the address from the environment variable REDIS_URL: a Pulumi program passes it on as the
      output
      <code>environment</code>, so that no code holds the password. In a shell:
    </p>
    ${codeBlock({ id: "environment", label: "the line that sets REDIS_URL", text: environmentLine(status) })}
    ${[cli, ...LIBRARIES].map((snippet) => block(snippet))}
    ${block(
      program,
      html`<p>
        ${name} belongs to ${status.owner.project}/${status.owner.stack}. A program of another project or
        stack adopts it, data kept, after <code>${handOver}</code>.
      </p>`,
    )}
  </section>`;
}

function block({ id, title, text }: Snippet, before: Html | "" = ""): Html {
  return html`<details id="snippet-${id}">
    <summary>${title}</summary>
    ${before} ${codeBlock({ id, label: `the code for ${title}`, text })}
  </details>`;
}
