/** The one of some names that a misspelt one probably means; absent where none is near. */
export function nearest(misspelt: string, names: readonly string[]): string | undefined {
  const wanted = letters(misspelt);
  // One slip in five characters: more, and anything would be near a short name.
  const furthest = Math.max(1, Math.floor(wanted.length / 5));
  const ranked = names
    .map((name) => ({ name, slips: distance(wanted, letters(name)) }))
    .filter(({ slips }) => slips <= furthest)
    .sort((a, b) => a.slips - b.slips);
  return ranked[0]?.name;
}

/** Without what separates words, so that `maxMemory`, `max_memory` and `max-memory` are one. */
function letters(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/** How many characters have to be put in, left out or exchanged: the distance of Levenshtein. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, character] of Array.from(from).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(to).entries())
      next.push(
        Math.min((row[j] ?? 0) + (character === other ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1),
      );
    row = next;
  }
  return row[to.length] ?? 0;
}
