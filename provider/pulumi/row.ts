import type { Clock, Progress } from "../core/task";
import type { EngineLog } from "./engine-log";

/** Four a second are as many as anybody reads. */
const INTERVAL_MS = 250;

/** The line that the Pulumi CLI shows for one resource. */
export interface Row {
  /** Live text beside the resource; the newest wins and nothing of it stays. */
  progress(progress: Progress): void;
  /** Stays among the diagnostics, in previews too. */
  info(message: string): Promise<void>;
  warning(message: string): Promise<void>;
  /** No more live text: the operation is over. */
  close(): void;
}

export function openRow(log: EngineLog, clock: Clock, urn: string | undefined): Row {
  let shown = "";
  let next: string | undefined;
  let pumping = false;
  let open = true;

  const pump = async () => {
    if (pumping) return;
    pumping = true;
    try {
      while (open && next !== undefined) {
        const text = next;
        next = undefined;
        shown = text;
        await log({ severity: "info", message: text, urn, ephemeral: true });
        await clock.sleep(INTERVAL_MS);
      }
    } finally {
      pumping = false;
    }
  };

  return {
    progress(progress) {
      const text = progressText(progress);
      if (text === (next ?? shown)) return;
      next = text;
      void pump();
    },
    info: (message) => log({ severity: "info", message, urn, ephemeral: false }),
    warning: (message) => log({ severity: "warning", message, urn, ephemeral: false }),
    close() {
      open = false;
    },
  };
}

/** An estimate may be too small: before the end nothing is done. */
const MOST_OF_AN_ESTIMATE = 99;

/** `receiving the leader's snapshot, 12.3 MiB (~40 %), 7 s` */
export function progressText(progress: Progress): string {
  const { message, elapsedSeconds } = progress;
  const amount = amountText(progress);
  const what = amount === undefined ? message : `${message}, ${amount}`;
  return elapsedSeconds === undefined ? what : `${what}, ${elapsedText(elapsedSeconds)}`;
}

function amountText({ doneBytes, totalBytes = 0, estimatedBytes = 0 }: Progress): string | undefined {
  if (doneBytes === undefined) return undefined;
  const done = bytes(doneBytes);
  if (totalBytes > 0) return `${done} of ${bytes(totalBytes)} (${percent(doneBytes / totalBytes, 100)} %)`;
  if (estimatedBytes > 0) return `${done} (~${percent(doneBytes / estimatedBytes, MOST_OF_AN_ESTIMATE)} %)`;
  return done;
}

function percent(fraction: number, most: number): number {
  return Math.min(most, Math.floor(100 * fraction));
}

function elapsedText(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  const step = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10));
  const value = count / 1024 ** step;
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[step] ?? "B"}`;
}
