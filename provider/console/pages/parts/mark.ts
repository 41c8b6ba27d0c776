import { html, type Html } from "../../html";

/** The console's mark: three records in a stack. */
export function mark(): Html {
  return html`<svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
    <path d="M12 2 22 6.5 12 11 2 6.5z" />
    <path d="m2 11.5 10 4.5 10-4.5v1.5L12 17.5 2 13z" />
    <path d="m2 17 10 4.5L22 17v1.5L12 23 2 18.5z" />
  </svg>`;
}
