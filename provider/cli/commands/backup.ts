import { Command } from "commander";
import { deleteCommand } from "./backup-delete";
import { downloadCommand } from "./backup-download";
import { listCommand } from "./backup-list";
import { pinCommand, unpinCommand } from "./backup-pin";
import { pruneCommand } from "./backup-prune";
import { restoreCommand } from "./backup-restore";
import { runCommand } from "./backup-run";
import { showCommand } from "./backup-show";
import { statusCommand } from "./backup-status";
import { verifyCommand } from "./backup-verify";

const EXAMPLES = `
A <backup> is a slot as \`backup list\` shows it, a beginning of one that is no other's, \`latest\` or \`latest-verified\`.

Stores:
  file:///var/backups/redis          a folder of this machine
  s3://bucket/prefix?region=…&endpoint=…
                                     keys are found as by other S3 tools: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,
                                     a profile (AWS_PROFILE), or the machine's own role; never in an argument

Examples:
  redis-addon backup run cache
  redis-addon backup run --from redis://db.example:6379 --to file:///var/backups/redis
  redis-addon backup status
  redis-addon backup list --store file:///var/backups/redis
  redis-addon backup verify db.example-6379 latest --store file:///var/backups/redis
  redis-addon backup download cache latest-verified --extract ./copy && cd copy && redis-server
  redis-addon backup restore cache latest-verified --into cache --replace-data`;

export function backupCommand(): Command {
  return new Command("backup")
    .description("take backups, of add-ons and of any other Redis, and look after them")
    .addCommand(runCommand())
    .addCommand(statusCommand())
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(verifyCommand())
    .addCommand(pinCommand())
    .addCommand(unpinCommand())
    .addCommand(deleteCommand())
    .addCommand(pruneCommand())
    .addCommand(downloadCommand())
    .addCommand(restoreCommand())
    .addHelpText("after", EXAMPLES);
}
