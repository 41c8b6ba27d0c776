/** A table as lines of text, without the columns that may be left out and have no room, the first of them first. */
export function tableLines(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { room, expendable }: { readonly room: number; readonly expendable: readonly string[] },
): string[] {
  const widths = header.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)),
  );
  const lines = [header, ...rows].map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const [first, ...others] = expendable;
  if (first === undefined || lines.every((line) => line.length <= room)) return lines;
  const left = header.indexOf(first);
  const without = (row: readonly string[]) => row.filter((_, i) => i !== left);
  return tableLines(without(header), rows.map(without), { room, expendable: others });
}

/** Labels in one column, values in the next. */
export function fieldLines(fields: readonly (readonly [label: string, value: string])[]): string[] {
  const width = Math.max(...fields.map(([label]) => label.length));
  return fields.map(([label, value]) => `${label.padEnd(width)}  ${value}`);
}
