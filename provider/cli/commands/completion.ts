import { Argument, Command } from "commander";
import { openPlatform } from "../../operations/open-platform";
import { completeWords, homeIn } from "../completion/complete-words";
import { COMPLETION_SCRIPTS, FILES_LINE, type Shell, SHELLS } from "../completion/scripts";

const HELP = `
Commands, options and the names of add-ons are completed. Nothing is started for that.

Examples:
  source <(redis-addon completion bash)                                        # in ~/.bashrc; zsh: in ~/.zshrc
  redis-addon completion fish >~/.config/fish/completions/redis-addon.fish
  redis-addon completion zsh >"\${fpath[1]}/_redis-addon"                       # or in a folder of zsh's fpath`;

export function completionCommand(): Command {
  return new Command("completion")
    .description("print the script with which a shell completes these commands")
    .addArgument(new Argument("<shell>", "which one").choices(SHELLS))
    .addHelpText("after", HELP)
    .action((shell: Shell) => void process.stdout.write(COMPLETION_SCRIPTS[shell]));
}

/**
 * What the scripts call: prints what may stand where the cursor is, a word a line, its meaning behind a tab. A shell that
 * is completing has nowhere to show an error, so there is none.
 */
export function completeCommand(): Command {
  return new Command("__complete")
    .description("for the scripts of `completion`")
    .argument("[words...]")
    .action(async (typed: string[], _options: unknown, command: Command) => {
      const { current, words, names, files } = completeWords(command.parent ?? command, typed);
      const found = names === undefined ? [] : (await addonNames(homeIn(typed))).map((name) => names + name);
      const lines = [...words, ...found.map((word) => ({ word, meaning: "" }))]
        .filter(({ word }) => word.startsWith(current))
        .map(({ word, meaning }) => `${word}\t${meaning}\n`);
      process.stdout.write(lines.join("") + (files === true ? `${FILES_LINE}\n` : ""));
    });
}

async function addonNames(home: string | undefined): Promise<readonly string[]> {
  try {
    const platform = await openPlatform({ kind: "local", dataHome: home });
    return await platform.names();
  } catch {
    return [];
  }
}
