interface Room {
  /** How wide a line may be. */
  readonly room: number;
}

const GAP = "  ";
/** Narrower, text is no longer read with ease. */
const NARROWEST = 16;

/**
 * A table as lines of text, without the columns that may be left out and have no room, the first of them first. What is
 * too wide all the same has its last column wrapped, or where that has no room either its rows one below the other, each
 * as labels and values.
 */
export function tableLines(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { room, expendable }: Room & { readonly expendable: readonly string[] },
): string[] {
  const cells = [header, ...rows].map((row) => header.map((_, i) => oneLine(row[i] ?? "")));
  const widths = header.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
  if (lines.every((line) => line.length <= room)) return lines;
  const [first, ...others] = expendable;
  if (first !== undefined) {
    const left = header.indexOf(first);
    const without = (row: readonly string[]) => row.filter((_, i) => i !== left);
    return tableLines(without(header), rows.map(without), { room, expendable: others });
  }
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0);
  if (before > 0 && room - before >= NARROWEST)
    return cells.flatMap((row) => {
      const start = row.slice(0, -1).map((cell, i) => cell.padEnd(widths[i] ?? 0) + GAP);
      return hanging(start.join(""), row.at(-1) ?? "", room);
    });
  const blocks = rows.map((row) =>
    fieldLines(
      header.map((title, i) => [title, row[i] ?? ""] as const),
      { room },
    ),
  );
  return blocks.flatMap((block, i) => (i === 0 ? block : ["", ...block]));
}

/** Labels in one column, values in the next; those that are too long are wrapped, where there is room for that. */
export function fieldLines(
  fields: readonly (readonly [label: string, value: string])[],
  { room }: Room = { room: Infinity },
): string[] {
  const width = Math.max(...fields.map(([label]) => label.length));
  return fields.flatMap(([label, value]) => {
    const start = label.padEnd(width) + GAP;
    return room - start.length < NARROWEST
      ? [(start + oneLine(value)).trimEnd()]
      : hanging(start, oneLine(value), room);
  });
}

/** Text behind its start, wrapped between words; a word that is too long, an address or a path, stays whole. */
function hanging(start: string, text: string, room: number): string[] {
  const indent = " ".repeat(start.length);
  const lines = [start];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    const isFirst = line === start || line === indent;
    if (!isFirst && line.length + 1 + word.length > room) lines.push(indent + word);
    else lines[lines.length - 1] = isFirst ? line + word : `${line} ${word}`;
  }
  return lines.map((line) => line.trimEnd());
}

/** What somebody else wrote may not look like a line of ours. */
function oneLine(text: string): string {
  return text.replaceAll("\n", "?");
}
