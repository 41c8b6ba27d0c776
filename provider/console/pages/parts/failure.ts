import type { FailureReport } from "../../../core/errors";
import { html, type Html } from "../../html";
import { asSentence } from "./sentence";

/** What failed, on what, why, and what to do next. */
export function failureNotice({ operation, subject, cause, hint }: FailureReport): Html {
  return html`<section class="notice bad">
    <h2>Cannot ${operation} ${subject}</h2>
    <p>${asSentence(cause)}</p>
    ${hint === "" ? "" : html`<p>${asSentence(hint)}</p>`}
  </section>`;
}
