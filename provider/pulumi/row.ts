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

export function progressText({ message, doneBytes, totalBytes }: Progress): string {
  if (doneBytes === undefined) return message;
  if (totalBytes === undefined || totalBytes <= 0) return `${message}: ${bytes(doneBytes)}`;
  const percent = Math.min(100, Math.floor((100 * doneBytes) / totalBytes));
  return `${message}: ${bytes(doneBytes)} of ${bytes(totalBytes)} (${percent} %)`;
}

function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  const step = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10));
  const value = count / 1024 ** step;
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[step] ?? "B"}`;
}
