/** Something that is said of an add-on. */
interface Said {
  readonly addon: string;
  readonly text: string;
}

/** What is said of several add-ons alike, once: a cause that hundreds share would hide the others. */
export function shared(
  all: readonly Said[],
): { readonly text: string; readonly addons: readonly string[] }[] {
  const whose = new Map<string, string[]>();
  for (const { addon, text } of all) whose.set(text, [...(whose.get(text) ?? []), addon]);
  return [...whose].map(([text, addons]) => ({ text, addons }));
}

/** `cache, copy and 3 more`. */
export function some(items: readonly string[], most = 4): string {
  if (items.length <= most) return items.join(", ");
  return `${items.slice(0, most).join(", ")} and ${items.length - most} more`;
}

/** `cache, copy and 3 more: the agent is not running`, a line for each cause. */
export function sharedWords(all: readonly Said[]): string[] {
  return shared(all).map(({ text, addons }) => `${some(addons)}: ${text}`);
}
