import { memoryText } from "../../../core/memory-size";
import type { SeenBackup } from "../../../operations/look-at-backups";
import type { Plotted } from "../../plots/plot";

const DAYS_MS = 90 * 86_400_000;

/** How large an add-on's backups are and how long each took, over 90 days, in whatever order they come. */
export function plotsOfBackups(backups: readonly SeenBackup[], now: number): readonly Plotted[] {
  const [from, to] = [now - DAYS_MS, now];
  const within = backups
    .map((backup) => ({ ...backup, at: Date.parse(backup.takenAt) }))
    .filter(({ at }) => at >= from && at <= to)
    .toSorted((a, b) => a.at - b.at);
  const sizes = within.map(({ at, sizeBytes }) => ({ at, value: sizeBytes }));
  const seconds = within.map(({ at, tookSeconds }) => ({ at, value: tookSeconds }));
  const common = { from, to, drawn: "bars" } as const;
  return [
    {
      ...{ ...common, id: "backup-sizes", title: "Backup sizes", points: sizes },
      ...{ counting: "binary", words: memoryText },
    },
    {
      ...{ ...common, id: "backup-durations", title: "How long backups took", points: seconds },
      ...{ counting: "decimal", words: (value) => `${Number(value.toPrecision(3))} s` },
    },
  ];
}
