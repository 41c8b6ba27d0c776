import { Command } from "commander";
import {
  installService,
  type InstalledService,
  previewService,
  uninstallService,
} from "../../operations/agent-service";
import { contextOf } from "../context";
import { wrongUsage } from "../exit-codes";
import { printJson, printLine } from "../print";
import { warn } from "../terminal";

const HELP = `
systemd's unit, or launchd's property list, is this user's own: no root is needed. It runs the agent's copy of the program
below the data home, so the folder that you call this from may vanish; a newer build that takes over later is what the
next boot starts. What the agent sees of your environment (PATH, the AWS profile, never keys) is taken down now.

Restarts: an agent that crashes is started again after 10 s. One that leaves because there are no add-ons, or because
\`agent stop\` or a newer build asked it to, is not, before the next boot or login; the next \`pulumi up\` starts one as it
always does. Servers run on whatever becomes of the agent.

On Linux a user's services run from the first login to the last logout, unless lingering is on for that user:
\`loginctl enable-linger\`. Without it a logout ends the servers as well.

Examples:
  redis-addon agent install-service
  redis-addon agent install-service --print          # what it would write, to standard output
  redis-addon agent install-service --uninstall      # servers and agent run on`;

interface ServiceOptions {
  readonly uninstall?: boolean;
  readonly print?: boolean;
  readonly json?: boolean;
}

export function installServiceCommand(): Command {
  return new Command("install-service")
    .description("have systemd or launchd run it: at each boot or login, and again where it crashes")
    .option("--uninstall", "take the service away")
    .option("--print", "only print the file; nothing is written or started")
    .option("--json", "one object")
    .addHelpText("after", HELP)
    .action(async (options: ServiceOptions, command: Command) => {
      const { print, uninstall, json } = options;
      if (print === true && uninstall === true)
        throw wrongUsage("--print and --uninstall", "what is taken away is not printed");
      const { home, task } = await contextOf(command);
      if (print === true) {
        const file = previewService(home);
        if (json === true) return printJson(file);
        return void process.stdout.write(file.text);
      }
      if (uninstall === true) {
        const { path, removed } = await uninstallService(home, task);
        if (json === true) return printJson({ path, removed });
        if (!removed) return printLine(`There is no service: ${path} does not exist.`);
        return printLine(`The service is gone, and ${path} with it. An agent that ran runs on without it.`);
      }
      const installed = await installService(home, task);
      if (installed.lingering === false) warn(LINGERING);
      if (json === true) return printJson(installed);
      printLine(`${installedWords(installed)}\nIts file: ${installed.path}`);
    });
}

const LINGERING =
  "lingering is off for this user: the agent starts at your first login, not at boot, and your last logout ends it and its servers. " +
  "To have them run without you: loginctl enable-linger";

function installedWords({ kind, name, pid, lingering }: InstalledService): string {
  return `The agent runs as process ${pid}, and ${kind}'s service ${name} starts it ${startWords(kind, lingering)}.`;
}

function startWords(kind: InstalledService["kind"], lingering: boolean | undefined): string {
  if (kind === "launchd" || lingering === false) return "at each login";
  return lingering === true ? "at each boot" : "whenever this user's systemd starts";
}
