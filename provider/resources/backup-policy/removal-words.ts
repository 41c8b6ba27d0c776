import { forShell } from "../../core/for-shell";
import { memoryText } from "../../core/memory-size";
import type { Retention } from "../../core/retention";
import type { RetentionChange, RetentionPreview } from "../../operations/preview-retention";

interface Said {
  readonly severity: "info" | "warning";
  readonly message: string;
}

/** What a preview says of a change of the policy. */
export function announcement(
  { name, from, to }: RetentionChange,
  { removes, leaves, untold }: RetentionPreview,
): Said[] {
  // The command looks where backups go now.
  const isHere = from.destination === to.destination;
  const said: Said[] = [];
  if (removes !== undefined) {
    const list = isHere ? `list them: ${pruneCommand(name, to.retention)}` : `they lie in ${removes.catalog}`;
    said.push({
      severity: "warning",
      message: `would remove ${amount(removes)}, oldest ${removes.oldest}, with the next backup (${list}; keep one: ${pinCommand(name)})`,
    });
  }
  if (leaves !== undefined && leaves.backups > 0)
    said.push({ severity: "warning", message: `${stays(leaves)}, where nothing removes them any more` });
  if (untold !== undefined)
    said.push({
      severity: "warning",
      message: `which backups this would remove could not be told: ${untold}${isHere ? `. Ask again: ${pruneCommand(name, to.retention)}` : ""}`,
    });
  return said;
}

/** What is said once an add-on is back at the default; no preview: nobody could look. */
export function resetWords(name: string, { removes, leaves, untold }: RetentionPreview): string {
  const after = [
    `${name} is backed up daily and for 7 days again`,
    "no backup was removed",
    ...(removes === undefined
      ? []
      : [
          `the next run will remove ${amount(removes)}, the oldest of ${removes.oldest}: pin those to keep (${pinCommand(name)})`,
        ]),
    ...(leaves === undefined || leaves.backups === 0
      ? []
      : [`${stays(leaves)}, where nothing removes them any more`]),
    ...(untold === undefined
      ? []
      : [
          `what the next run will remove could not be told (${untold}): ask redis-addon backup prune ${name} --dry-run`,
        ]),
  ];
  return after.join("; ");
}

/** Lists what a retention would remove, and removes nothing. */
function pruneCommand(name: string, retention: Retention): string {
  const flags = Object.entries(retention)
    .filter(([, value]) => value !== undefined)
    .map(([rule, value]) => `--${rule === "keepLast" ? "keep-last" : rule} ${value}`);
  return ["redis-addon backup prune", forShell(name), "--dry-run", ...flags].join(" ");
}

function pinCommand(name: string): string {
  return `redis-addon backup pin ${forShell(name)} <slot>`;
}

function amount({ backups, sizeBytes }: NonNullable<RetentionPreview["removes"]>): string {
  return `${counted(backups)}, ${memoryText(sizeBytes)}`;
}

function stays({ backups, catalog }: NonNullable<RetentionPreview["leaves"]>): string {
  return `${counted(backups)} ${backups === 1 ? "stays" : "stay"} in ${catalog}`;
}

function counted(backups: number): string {
  return `${backups} backup${backups === 1 ? "" : "s"}`;
}
