import { Command } from "commander";
import { planText } from "../../core/plans";
import type { AddonStatus } from "../../core/status";
import { redacted, redisCliUrl, redisUrl } from "../../core/uri";
import { alertsTo } from "../../operations/backup-status";
import { memoryText } from "../../core/memory-size";
import { contextOf, requireAddon } from "../context";
import { lagWords, leaderWords } from "../../operations/words/follower-words";
import { printFields, printJson, printLine } from "../print";
import {
  healthWords,
  lastRunWords,
  newestVerifiedWords,
  restoredWords,
  restoringWords,
  retentionWords,
  scheduleWords,
} from "../../operations/words/backup-words";
import { roleWords } from "../../operations/words/addon-words";

const HELP = `
Examples:
  redis-addon info cache
  redis-addon info cache --reveal                        # with its password, and the URLs that hold it
  redis-addon info cache --reveal --json | jq -r .redisUrl`;

export function infoCommand(): Command {
  return new Command("info")
    .description("one add-on: address, credentials, sync status, backups")
    .argument("<add-on>", "its name")
    .option("--reveal", "show the password and the URLs that hold it")
    .option("--json", "one object")
    .addHelpText("after", HELP)
    .action(async (name: string, options: { reveal?: boolean; json?: boolean }, command: Command) => {
      const context = await contextOf(command);
      const addon = await requireAddon(context, name);
      const record = await context.platform.load(name);
      const password = record?.credentials.password ?? "";
      const { host, port } = addon;
      const endpoint = { host, port, password };
      const shown = (secret: string): string => (options.reveal === true ? secret : redacted(secret));
      const urls = { redisUrl: shown(redisUrl(endpoint)), redisCliUrl: shown(redisCliUrl(endpoint)) };
      const credentials = { password: options.reveal === true ? password : "[secret]", ...urls };
      if (options.json === true) return printJson({ ...addon, ...credentials });
      const alerted = record && alertsTo(record);
      printFields(fieldsOf(addon, { ...credentials, alerted }, context.task.clock.now()));
      for (const problem of addon.problems) printLine(`! ${problem}`);
      for (const warning of addon.backups.lastRun?.warnings ?? []) printLine(`! last backup: ${warning}`);
      if (options.reveal !== true) printLine(`\nShow the password: redis-addon info ${name} --reveal`);
    });
}

function fieldsOf(
  addon: AddonStatus,
  recorded: { password: string; redisUrl: string; redisCliUrl: string; alerted: string | undefined },
  now: number,
): [string, string][] {
  const { backups, server } = addon;
  return [
    ["Name", addon.name],
    ["Health", addon.health],
    ["Role", roleWords(addon)],
    ...replicationFields(addon),
    ["Host", addon.host],
    ["Port", String(addon.port)],
    ["Password", recorded.password],
    ["REDIS_URL", recorded.redisUrl],
    ["For redis-cli -u", recorded.redisCliUrl],
    ["Version", server.state === "running" ? server.version : addon.wish.version],
    ["Plan", planText(addon.wish.plan)],
    ["Tier", addon.wish.tier],
    ["Rights", addon.wish.access],
    ["Eviction policy", addon.wish.evictionPolicy],
    ["Persistence", addon.wish.persistence],
    ...namesAndTexts("Settings", addon.wish.settings),
    ...namesAndTexts("Labels", addon.wish.labels),
    ...(server.state === "running"
      ? ([
          ["Memory used", memoryText(server.memoryUsedBytes)],
          ["Keys", String(server.keys)],
        ] as [string, string][])
      : []),
    ["Backups", `${scheduleWords(backups.schedule)}, kept ${retentionWords(backups.retention)}`],
    ["Backup health", healthWords(backups.health)],
    ["Newest verified", newestVerifiedWords(backups, now)],
    ["Next backup", backups.next ?? "never"],
    ["Last backup run", lastRunWords(backups)],
    ...(recorded.alerted === undefined
      ? []
      : ([["Backup alerts", `to ${recorded.alerted}`]] as [string, string][])),
    ["Backups lie in", backups.catalog],
    ...restoreFields(addon),
    ["Made by", `${addon.owner.project}/${addon.owner.stack} at ${addon.createdAt}`],
    ["Data home", `${addon.home.path} on ${addon.home.host}`],
  ];
}

/** What `follower status` tells besides. */
function replicationFields({ replication }: AddonStatus): [string, string][] {
  if (replication.role === "leader") {
    const followers = replication.followers.map(({ addon, host, port, state }) => {
      const name = addon ?? `${host}:${port}`;
      return state === "online" ? name : `${name} (${state})`;
    });
    return followers.length === 0 ? [] : [["Followers", followers.join(", ")]];
  }
  const { lastSyncedAt, inSyncSince } = replication;
  const since: [string, string] =
    inSyncSince === undefined ? ["Last in sync", lastSyncedAt ?? "never"] : ["In sync since", inSyncSince];
  return [["Leader", leaderWords(replication)], ["Lag", lagWords(replication.sync) ?? "not known"], since];
}

function restoreFields({ restored, restoring }: AddonStatus): [string, string][] {
  return [
    ...(restored === undefined ? [] : ([["Restored from", restoredWords(restored)]] as [string, string][])),
    ...(restoring === undefined
      ? []
      : ([["Being restored", restoringWords(restoring)]] as [string, string][])),
  ];
}

/** Nothing where there are none. */
function namesAndTexts(title: string, entries: Readonly<Record<string, string>>): [string, string][] {
  const listed = Object.entries(entries).map(([name, text]) => `${name}=${text}`);
  return listed.length === 0 ? [] : [[title, listed.join(", ")]];
}
