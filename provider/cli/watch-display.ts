import { USUAL_COLUMNS, type Screen } from "./progress-display";

export interface WatchScreen extends Screen {
  readonly rows?: number | undefined;
}

/** Lines that are drawn over the ones before them, for a terminal. */
export function watchDisplay(screen: WatchScreen): { show(lines: readonly string[]): void } {
  let drawn = 0;
  return {
    show: (lines) => {
      // What wraps or scrolls away can't be drawn over.
      const width = Math.max(1, (screen.columns || USUAL_COLUMNS) - 1);
      const fitting = lines.slice(0, Math.max(1, (screen.rows || Infinity) - 1));
      const text = fitting.map((line) => `${ERASE_LINE}${cut(line, width)}\n`).join("");
      screen.write(`${drawn === 0 ? "" : `\u001B[${drawn}A`}${text}${ERASE_BELOW}`);
      drawn = fitting.length;
    },
  };
}

const ERASE_LINE = "\r\u001B[2K";
const ERASE_BELOW = "\u001B[J";

function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}
