import { Command } from "commander";
import { resolveRestore } from "../../operations/restore/restore-source";
import { expectBulkBytes } from "../../system/bulk-bytes";
import { refuseUrl, storeOption, type StoreOption } from "../backup-options";
import { contextOf } from "../context";
import { decryptionOptions, keyRing, type DecryptionOptions } from "../decryption";
import { wrongUsage } from "../exit-codes";
import { catalogName } from "../redis-address";
import { tlsOptions } from "../redis-tls";
import { restoreToFolder } from "../restore-folder";
import { restoreInto } from "../restore-into";
import { restoreTo, type RestoreToOptions } from "../restore-to";
import { PASSWORD_VARIABLE } from "../secrets";

const HELP = `
Say where the data shall go, with one of these:

  --into <add-on>   an add-on of this machine: everything is fetched and proved first, then exchanged with what it holds
  --folder <path>   a new folder, in which redis-server opens them; nothing else is touched
  --to <URL>        any Redis (6.2 or newer, or Valkey) that may be told REPLICAOF and can connect to this machine

An RDB file that is no backup of this package (dump.rdb) goes into an add-on by redis-addon import-file.

Where there are keys already, nothing happens without --replace-data, nor before you agreed (or --yes). A verified backup
of what is replaced is taken first.

For --to this command is the leader of that Redis for as long as it takes to send one snapshot: it listens on the address
by which this machine reaches that Redis, and hands the data to nobody but who knows a password made for that alone. They
go over the network unencrypted. Where the other side sees this machine at another address (NAT, a container), say which:
--listen 0.0.0.0:7000 --announce 203.0.113.5. Its user needs +info +config|get +config|set +replicaof, for the backup
of what it held +psync +replconf, and for that to be of the very last write +client|pause +client|unpause +client|info.
Its own followers are sent everything anew. Managed services mostly refuse REPLICAOF: then use --folder, and their import.
Its password comes from ${PASSWORD_VARIABLE}, or is asked for; it never stands in a URL or an argument.

Exit code 0 means that the data are there, loaded and counted, and would survive a kill of the server as far as it writes
to its disk at all. After any other but 10 the target is as it was, or standard error says what it holds.

Examples:
  redis-addon backup restore cache latest-verified --into cache --replace-data
  redis-addon backup restore cache 20260102 --folder ./copy && cd copy && redis-server
  redis-addon backup restore --archive file:///mnt/20260102T030000000Z-1f.tar.gz --into cache
  redis-addon backup restore db.example-6379 latest --store s3://bucket/redis --to redis://admin@db2.example:6379
  redis-addon backup restore shop latest --store file:///backups --identity key.txt --to redis://10.0.0.7 --replace-data`;

interface RestoreOptions extends StoreOption, DecryptionOptions, RestoreToOptions {
  readonly archive?: string;
  readonly into?: string;
  readonly folder?: string;
  readonly to?: string;
}

export function restoreCommand(): Command {
  const command = storeOption(
    new Command("restore")
      .description("bring a backup back: into an add-on, a folder, or any Redis")
      .argument("[name]", "the add-on's; with --store the catalog's, as `backup list --store` shows it")
      .argument("[backup]", "which one (default: latest)"),
  )
    .option(
      "--archive <URL>",
      "one archive instead, wherever it lies: file:///…/….tar.gz, s3://…/….tar.gz.age",
    )
    .option("--into <add-on>", "this add-on gets the data")
    .option("--folder <path>", "a new or empty folder gets the files")
    .option("--to <URL>", "this Redis gets the data: redis://[user@]host[:port], or rediss:// for TLS")
    .option("--replace-data", "also where it holds keys: they are backed up, then replaced")
    .option("--yes", "don't ask")
    .option("--json", "one object")
    .option("--ask-pass", `of --to: ask for the password, whatever ${PASSWORD_VARIABLE} says`);
  return tlsOptions(decryptionOptions(command))
    .option(
      "--listen <host:port>",
      "of --to: where that Redis is awaited (default: how this machine reaches it)",
    )
    .option(
      "--announce <host[:port]>",
      "of --to: this machine as that Redis reaches it (default: as --listen)",
    )
    .option("--safety-backup <URL>", "of --to: the store for what is replaced (default: that of the backup)")
    .option("--safety-name <name>", "of --to: its catalog there (default: <host>-<port>)")
    .option("--accept-disk", "of --to: for that backup it may write its snapshot to its own disk")
    .option("--no-safety-backup", "of --to: take none, what is replaced is lost")
    .addHelpText("after", HELP)
    .action(
      async (
        name: string | undefined,
        which: string | undefined,
        options: RestoreOptions,
        command: Command,
      ) => {
        const goal = goalOf(options);
        expectBulkBytes();
        const context = await contextOf(command, {
          takesLong: true,
          ...(goal.kind === "into" ? { afterwards: `redis-addon info ${goal.into}` } : {}),
        });
        const from = originOf(name, which, options);
        const keyFor = keyRing({ name: name ?? "the archive", destination: "", catalogKey: "" }, options);
        if (goal.kind === "into") {
          const replaceData = options.replaceData === true;
          return restoreInto(context, { from, secrets: { keyFor }, replaceData }, goal.into, options);
        }
        const backup = await resolveRestore(context.platform, from, { keyFor }, context.task);
        if (goal.kind === "to") return restoreTo(context, backup, goal.to, options);
        return restoreToFolder(context, backup, goal.folder, options);
      },
    );
}

type Goal =
  | { readonly kind: "into"; readonly into: string }
  | { readonly kind: "folder"; readonly folder: string }
  | { readonly kind: "to"; readonly to: string };

/** What is only of use for another goal is refused: who wrote it expects something of it. */
const OF_TO = [
  "askPass",
  "cacert",
  "tlsServerName",
  "cert",
  "key",
  "listen",
  "announce",
  "safetyName",
  "acceptDisk",
] as const;

function goalOf(options: RestoreOptions): Goal {
  const { into, folder, to } = options;
  const goals: readonly Goal[] = [
    ...(into === undefined ? [] : [{ kind: "into", into } as const]),
    ...(folder === undefined ? [] : [{ kind: "folder", folder } as const]),
    ...(to === undefined ? [] : [{ kind: "to", to } as const]),
  ];
  const [goal] = goals;
  if (goal === undefined || goals.length > 1)
    throw wrongUsage(
      "the options",
      goal === undefined ? "nothing says where the data shall go" : "the data go to one place",
      "Give one of --into <add-on>, --folder <path>, --to <redis URL>",
    );
  const stray = OF_TO.find((option) => options[option] !== undefined);
  if (
    goal.kind !== "to" &&
    (stray !== undefined || ![undefined, true].includes(options.safetyBackup as true))
  )
    throw wrongUsage(
      "the options",
      "some of them are of use with --to alone",
      "See redis-addon backup restore --help",
    );
  if (goal.kind === "folder" && options.replaceData === true)
    throw wrongUsage(
      "--replace-data",
      "a folder must be new or empty",
      "Leave it out, and name such a folder",
    );
  return goal;
}

/** Of the backups that were named: by an add-on, by a catalog of a store, or by the URL of one archive. */
function originOf(name: string | undefined, which: string | undefined, { store, archive }: RestoreOptions) {
  if (archive === undefined && name !== undefined) {
    refuseUrl(name);
    const backup = which ?? "latest";
    if (store === undefined) return { addon: name, backup };
    const [, path = "", parameters = ""] = /^([^?#]*)(.*)$/s.exec(store) ?? [];
    return { url: `${path.replace(/\/+$/, "")}/${catalogName(name)}${parameters}`, backup };
  }
  if (archive !== undefined && name === undefined && store === undefined)
    return { url: archive, backup: "latest" };
  throw wrongUsage(
    "the arguments",
    archive === undefined ? "nothing says which backup" : "--archive names a backup already",
    "Name an add-on and perhaps a backup, a catalog with --store, or an archive with --archive",
  );
}
