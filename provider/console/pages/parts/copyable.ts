import { html, type Html } from "../../html";

interface Copyable {
  /** Unique in its page. */
  readonly id: string;
  /** What is copied, as one hears it: `the password`. */
  readonly label: string;
  readonly text: string;
}

/** A text in one line, with a button that copies it where there are scripts. */
export function copyable({ id, label, text }: Copyable): Html {
  return html`<span class="copyable"><code id="${id}">${text}</code> ${copyButton(id, label)}</span>`;
}

/** Lines of code; those that are too long are reached by scrolling, with keys too. */
export function codeBlock({ id, label, text }: Copyable): Html {
  return html`<div class="code">
    <pre tabindex="0" role="region" aria-label="${label}"><code id="${id}">${text}</code></pre>
    ${copyButton(id, label)}
  </div>`;
}

function copyButton(id: string, label: string): Html {
  return html`<button type="button" class="copy" data-copy="${id}">
    Copy<span class="unseen"> ${label}</span>
  </button>`;
}
