import { ageText } from "../../../operations/words/age";
import { html, type Html } from "../../html";

/** `5 min ago`, with the moment itself for machines and for who points at it. */
export function ago(iso: string, now: number): Html {
  const [exact, age] = [readableMoments(iso), ageText(now - Date.parse(iso))];
  return html`<time datetime="${iso}" title="${exact}">${age} ago</time>`;
}

/** `2026-05-01 03:00:00 UTC`. */
export function moment(iso: string): Html {
  return html`<time datetime="${iso}">${readableMoments(iso)}</time>`;
}

/** `2026-05-01 03:00:00 UTC, 5 h ago`: for who can't point at anything. */
export function momentAndAge(iso: string, now: number): Html {
  return html`${moment(iso)}, ${ageText(now - Date.parse(iso))} ago`;
}

/** Words with their moments as pages spell them: the operations' are ISO 8601, for machines too. */
export function readableMoments(text: string): string {
  return text.replaceAll(/\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z/g, "$1 $2 UTC");
}
