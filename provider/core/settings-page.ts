import { REFUSED_SETTINGS } from "./refused-settings";
import { boundsText, memorySpelling, type SettingKind } from "./setting-kinds";
import { ALLOWED_SETTINGS, type AllowedSetting } from "./setting-table";

/** The documentation of the input `settings`, in Markdown: what is allowed, and why the rest is not. */
export function settingsTable(): string {
  const allowed = table(
    ["setting", "takes", "default", "change", "meaning"],
    ALLOWED_SETTINGS.map((setting) => [
      `\`${setting.name}\``,
      boundsText(setting.kind),
      defaultText(setting),
      setting.apply,
      `${setting.about}${setting.sinceRedis === undefined ? "" : ` Since Redis ${setting.sinceRedis}.`}`,
    ]),
  );
  const refused = table(
    ["setting", "why not"],
    REFUSED_SETTINGS.map(([names, reason]) => [names.map((name) => `\`${name}\``).join(", "), reason]),
  );
  return `# Settings

What the input \`settings\` of a RedisAddon takes, besides the settings that its other inputs stand for:

\`\`\`ts
settings: { "notify-keyspace-events": "Ex", timeout: 300, "repl-backlog-size": "64mb", "latency-tracking": false },
\`\`\`

Names are redis.conf's. Sizes are written as there (\`"64mb"\`; kb, mb and gb count by 1024) or as a number of bytes, switches as \`true\` and \`false\` or \`"yes"\` and \`"no"\`. \`live\` settings change while the server runs, and clients notice nothing; \`restart\` settings restart it in place, data kept, and the preview says so. What is left out again returns to the default. Every setting is proved on Redis 7.0, 7.2 and 7.4 and on Valkey 8 and 9, at both of its bounds.

${allowed}

## What is refused

${refused}

Whatever is in neither table is refused as well.
`;
}

function defaultText({ kind, default: byDefault, valkeyDefault }: AllowedSetting): string {
  const redis = valueText(kind, byDefault);
  return valkeyDefault === undefined ? redis : `${redis} (Valkey: ${valueText(kind, valkeyDefault)})`;
}

function valueText(kind: SettingKind, value: string): string {
  if (kind.kind === "memory") return memorySpelling(Number(value));
  return value === "" ? '`""`' : value;
}

/** Columns as wide as their widest cell, as a formatter leaves them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)));
  const line = (cells: readonly string[], filler: string) =>
    `| ${widths.map((width, i) => (cells[i] ?? "").padEnd(width, filler)).join(" | ")} |`;
  return [line(head, " "), line([], "-"), ...rows.map((row) => line(row, " "))].join("\n");
}
