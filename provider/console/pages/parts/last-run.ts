import { parseSlot } from "../../../core/slot";
import type { BackupsState } from "../../../core/status";
import { VERIFICATION_WORDS } from "../../../core/verification";
import { html, type Html } from "../../html";
import { badge } from "./badge";
import { asSentence } from "./sentence";
import { moment } from "./time";

/** When a backup was last tried and what came of it; why it failed unless `told`, which the page says already, holds it. */
export function lastRunFact(name: string, { lastRun }: BackupsState, told: readonly string[]): Html | string {
  if (lastRun === undefined) return "none yet";
  const { at, outcome, detail, verification } = lastRun;
  if (outcome === "failed") {
    const isTold = told.some((words) => words.includes(detail));
    return html`${moment(at)} ${badge("bad", "failed")} ${isTold ? "" : html`<br />${asSentence(detail)}`}`;
  }
  const proved = verification === undefined ? "" : `, ${VERIFICATION_WORDS[verification]}`;
  const backup =
    parseSlot(detail) === undefined
      ? detail
      : html`<a href="/addons/${name}/backups/${detail}">backup ${detail}</a>`;
  return html`${moment(at)}: ${backup}${proved}`;
}
