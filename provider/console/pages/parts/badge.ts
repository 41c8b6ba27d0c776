import type { BackupHealth } from "../../../core/backup-health";
import type { Health } from "../../../core/status";
import { html, type Html } from "../../html";

/** How a badge looks: each has a colour and a mark of its own, and never says anything that its text doesn't. */
export type Tone = "good" | "busy" | "warn" | "bad" | "plain";

export function badge(tone: Tone, text: string): Html {
  return html`<span class="badge ${tone}">${text}</span>`;
}

const HEALTH_TONES: Readonly<Record<Health, Tone>> = {
  healthy: "good",
  starting: "busy",
  syncing: "busy",
  degraded: "warn",
  down: "bad",
  removing: "plain",
};

export function healthBadge(health: Health): Html {
  return badge(HEALTH_TONES[health], health);
}

const BACKUP_TONES: Readonly<Record<BackupHealth["state"], Tone>> = {
  fresh: "good",
  failing: "bad",
  overdue: "warn",
};

/** Whether backups can be relied on, in a word. */
export function backupBadge({ state }: BackupHealth): Html {
  return badge(BACKUP_TONES[state], state);
}
