import { html, type Html } from "../../html";
import { asSentence } from "./sentence";

/** What keeps something from being well, each a sentence; told anew to who listens when it changes. */
export function problemList(problems: readonly string[], id = "problems"): Html {
  return html`<div id="${id}" data-live aria-live="polite">
    ${problems.length === 0 ? "" : notice("bad", problemsTitle(problems.length), problems)}
  </div>`;
}

/** Some sentences that matter more than what stands below them. */
export function notice(tone: "good" | "warn" | "bad", title: string, sentences: readonly string[]): Html {
  return html`<section class="notice ${tone}">
    <h2>${title}</h2>
    <ul>
      ${sentences.map((sentence) => html`<li>${asSentence(sentence)}</li>`)}
    </ul>
  </section>`;
}

function problemsTitle(count: number): string {
  return count === 1 ? "A problem" : `${count} problems`;
}
