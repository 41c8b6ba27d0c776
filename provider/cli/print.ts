import { printable } from "./printable";
import { USUAL_COLUMNS } from "./progress-display";
import { fieldLines, tableLines } from "./table";
import { clearDisplay } from "./terminal";

/** One JSON document on standard output. */
export function printJson(value: unknown): void {
  clearDisplay();
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** One JSON document a line, where several follow each other. */
export function printJsonLine(value: unknown): void {
  clearDisplay();
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function printLine(text = ""): void {
  clearDisplay();
  process.stdout.write(`${printable(text)}\n`);
}

/**
 * Columns as wide as their longest cell. A terminal that is narrower than the table is spared those named as
 * expendable, the first one first, until it fits; what goes to a file or a pipe has all of them.
 */
export function printTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  expendable: readonly string[] = [],
): void {
  for (const line of tableLines(header, rows, { room: roomOf(process.stdout), expendable })) printLine(line);
}

/** Labels in one column, values in the next. */
export function printFields(fields: readonly (readonly [label: string, value: string])[]): void {
  for (const line of fieldLines(fields, { room: roomOf(process.stdout) })) printLine(line);
}

/** How wide a line may be: what goes to a file or a pipe is never broken. */
export function roomOf({ isTTY, columns }: Pick<NodeJS.WriteStream, "isTTY" | "columns">): number {
  return isTTY ? columns || USUAL_COLUMNS : Infinity;
}
