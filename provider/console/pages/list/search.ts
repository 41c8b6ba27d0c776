import { planText } from "../../../core/plans";
import type { AddonStatus } from "../../../core/status";
import { roleWords } from "../../../operations/words/addon-words";

/** Words that are looked for, each in any place. */
export function wordsOf(query: string): readonly string[] {
  return query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
}

/** Whether every word stands somewhere in its name, role, plan, health, owner or labels. */
export function isFound(status: AddonStatus, words: readonly string[]): boolean {
  return hasAll(words, textOf(status));
}

/** Whether the text holds every word, whatever its letters' case. */
export function hasAll(words: readonly string[], text: string): boolean {
  const lower = text.toLowerCase();
  return words.every((word) => lower.includes(word));
}

function textOf(status: AddonStatus): string {
  const { name, health, wish, owner } = status;
  const labels = Object.entries(wish.labels).map(([key, value]) => `${key}=${value}`);
  const made = `${owner.project}/${owner.stack}`;
  // Lines: no word spans two of them.
  return [name, health, roleWords(status), planText(wish.plan), made, ...labels].join("\n");
}
