import { memoryText } from "../../core/memory-size";
import { percentText, progressShare } from "../../core/progress-share";
import type { Progress } from "../../core/task";
import { ageText } from "../../operations/words/age";
import { html, type Html } from "../html";
import { type Activity, activityWords } from "./activities";

/** How far an activity is: what goes on, a bar where it is known how much there is, and for how long. */
export function activityProgress(activity: Activity, now: number): Html {
  const { id, progress, startedAt } = activity;
  const share = progress && progressShare(progress);
  const elapsed = `for ${ageText(now - Date.parse(startedAt))}`;
  const words = [
    progress?.message ?? "starting",
    ...(progress === undefined ? [] : figures(progress)),
    elapsed,
  ];
  const label = `Progress of: ${activityWords(activity)}`;
  return html`<p id="progress-${id}">${words.join(" · ")}</p>
    ${
      share === undefined
        ? html`<progress aria-label="${label}" max="1"></progress>`
        : html`<progress aria-label="${label}" max="1" value="${share.fraction}"></progress>`
    }`;
}

/** `42 %`, `12.0 MiB of 28.6 MiB`. */
function figures(progress: Progress): string[] {
  const share = progressShare(progress);
  const { doneBytes, totalBytes } = progress;
  const done = doneBytes === undefined ? undefined : memoryText(doneBytes);
  return [
    ...(share === undefined ? [] : [percentText(share)]),
    ...(done === undefined ? [] : [totalBytes === undefined ? done : `${done} of ${memoryText(totalBytes)}`]),
  ];
}
