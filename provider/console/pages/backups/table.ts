import { memoryText } from "../../../core/memory-size";
import type { VerificationOutcome } from "../../../core/verification";
import type { SeenBackup } from "../../../operations/look-at-backups";
import { reasonWords } from "../../../operations/words/backup-words";
import { html, type Html } from "../../html";
import { badge, type Tone } from "../parts/badge";
import { asSentence } from "../parts/sentence";
import { ago, moment } from "../parts/time";

export interface BackupRow {
  readonly addon: string;
  readonly backup: SeenBackup;
  /** ISO 8601: older ones are of an earlier add-on of this name. */
  readonly createdAt: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

/** Backups, each in a row that leads to all that is known of it. */
export function backupTable(rows: readonly BackupRow[]): Html {
  return html`<table class="cards backups">
    <caption class="unseen">
      Backups, the newest first
    </caption>
    <thead>
      <tr>
        <th scope="col">Taken</th>
        <th scope="col" class="number">Size</th>
        <th scope="col" class="number">Keys</th>
        <th scope="col">Why taken</th>
        <th scope="col">Verified</th>
        <th scope="col">Pinned</th>
        <th scope="col">Kept</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(row)}
    </tbody>
  </table>`;
}

function row({ addon, backup, createdAt, now }: BackupRow): Html {
  const { slot, takenAt, sizeBytes, keys, encrypted, unreadable } = backup;
  const isEarlier = takenAt < createdAt && Date.parse(createdAt) <= now;
  return html`<tr>
    <th scope="row">
      <a href="/addons/${addon}/backups/${slot}">${moment(takenAt)}</a>
      <span class="muted">${ago(takenAt, now)}</span>
      ${encrypted ? badge("plain", "encrypted") : ""}
      ${isEarlier ? badge("plain", "of an earlier add-on") : ""}
      ${unreadable === undefined ? "" : html`<p class="trouble">${asSentence(unreadable.message)}</p>`}
    </th>
    <td data-label="Size" class="number">${memoryText(sizeBytes)}</td>
    <td data-label="Keys" class="number">${keys ?? "-"}</td>
    <td data-label="Why taken">${whyTaken(backup)}</td>
    <td data-label="Verified">${verifiedBadge(backup)}</td>
    <td data-label="Pinned">${pinnedCell(backup)}</td>
    <td data-label="Kept">${fateCell(backup)}</td>
  </tr>`;
}

export function whyTaken({ reason, purpose }: Pick<SeenBackup, "reason" | "purpose">): string {
  return reason === undefined ? "-" : reasonWords({ reason, purpose });
}

export function verifiedBadge({
  archiveExists,
  damage,
  verification,
}: Pick<SeenBackup, "archiveExists" | "damage" | "verification">): Html {
  if (!archiveExists) return badge("bad", "no archive");
  if (damage !== undefined) return html`${badge("bad", "damaged")} <span class="trouble">${damage}</span>`;
  return verification === undefined ? badge("warn", "not verified") : badge(...VERIFIED[verification]);
}

const VERIFIED: Readonly<Record<VerificationOutcome, readonly [Tone, string]>> = {
  verified: ["good", "verified"],
  "structure-checked": ["warn", "structure checked"],
  damaged: ["bad", "damaged"],
};

function pinnedCell({ pinned, note, held }: SeenBackup): Html | string {
  if (!pinned) return held === true ? "being restored" : "-";
  return html`${badge("plain", "pinned")} ${note ?? ""} ${held === true ? "being restored" : ""}`;
}

/** Why the policy keeps it and until when, or that it goes. */
export function fateCell({ pinned, fate }: Pick<SeenBackup, "pinned" | "fate">): Html | string {
  if (fate === undefined) return "not known";
  const reasons = fate.reasons.join(", ");
  if (!fate.stays) return html`goes with the next backup: ${reasons}`;
  if (pinned) return html`${reasons}; stays until it is unpinned`;
  if (fate.until === undefined) return html`${reasons}; no end is foreseen`;
  return html`${reasons}; until ${moment(fate.until)}`;
}
