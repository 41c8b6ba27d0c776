import { html, type Html } from "../../html";

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

/** What the operations say begins small and ends without a stop, to stand after a colon; here it stands alone. */
export function asSentence(text: string): string {
  // What begins with a name, a command or a path keeps its spelling.
  const begins = /^(?:it|its|no|the|there|an?) /.test(text)
    ? `${text.charAt(0).toUpperCase()}${text.slice(1)}`
    : text;
  return /[.!?:]$/.test(begins) ? begins : `${begins}.`;
}

function problemsTitle(count: number): string {
  return count === 1 ? "A problem" : `${count} problems`;
}
