import { Argument, Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { completeWords, homeIn } from "../../provider/cli/completion/complete-words";
import { program } from "../../provider/cli/main";

function tree(): Command {
  const restore = new Command("restore")
    .description("put it back")
    .argument("<name>", "whose")
    .argument("[backup]", "which")
    .option("--into <add-on>", "where")
    .option("--identity <file>", "a key")
    .addOption(new Option("--how <way>", "how").choices(["fast", "safe"]))
    .addOption(new Option("--secretly", "nobody's business").hideHelp());
  const backup = new Command("backup").description("backups").addCommand(restore);
  return new Command("tool")
    .option("--home <folder>", "the home")
    .addCommand(backup)
    .addCommand(new Command("status").argument("[add-on...]", "which").option("-w, --watch", "go on"))
    .addCommand(new Command("shell").addArgument(new Argument("<shell>", "which").choices(["bash", "zsh"])))
    .addCommand(new Command("__complete"), { hidden: true });
}

function wordsAt(...typed: string[]): string[] {
  return completeWords(tree(), typed).words.map(({ word }) => word);
}

describe("completion", () => {
  it.each([
    ["commands, hidden ones not", [""], ["backup", "status", "shell"]],
    ["subcommands", ["backup", ""], ["restore"]],
    ["choices of an argument", ["shell", ""], ["bash", "zsh"]],
    ["choices of an option", ["backup", "restore", "--how", ""], ["fast", "safe"]],
    ["choices behind =", ["backup", "restore", "--how=f"], ["--how=fast", "--how=safe"]],
    ["the same as bash breaks it", ["backup", "restore", "--how", "=", "f"], ["--how=fast", "--how=safe"]],
    ["which backup, behind the name", ["backup", "restore", "cache", ""], ["latest", "latest-verified"]],
    ["no subcommand behind an operand", ["status", "backup", ""], []],
    ["options of the command and of all commands", ["status", "-"], ["--watch", "--home", "--help"]],
    ["no option behind --", ["status", "--", "-"], []],
    ["nothing for a command that is not known", ["nonsense", "x", ""], []],
  ])("knows %s", (_, typed, expected) => {
    expect(wordsAt(...typed)).toEqual(expected);
  });

  it("tells where the name of an add-on may stand, and behind what", () => {
    const names = (...typed: string[]) => completeWords(tree(), typed).names;
    expect(names("backup", "restore", "")).toBe("");
    expect(names("status", "one", "two", "")).toBe("");
    expect(names("--home", "/x", "status", "-w", "")).toBe("");
    expect(names("backup", "restore", "cache", "--into", "")).toBe("");
    expect(names("backup", "restore", "cache", "--into=c")).toBe("--into=");
    expect(names("backup", "restore", "cache", "latest", "")).toBeUndefined();
    expect(names("shell", "")).toBeUndefined();
  });

  it("tells where a path may stand", () => {
    expect(completeWords(tree(), ["--home", ""])).toMatchObject({ files: true });
    expect(completeWords(tree(), ["backup", "restore", "a", "--identity=/e"])).toMatchObject({ files: true });
  });

  it("finds the data home among the words", () => {
    expect(homeIn(["--home", "/x", "info", ""])).toBe("/x");
    expect(homeIn(["info", "--home=/x", ""])).toBe("/x");
    expect(homeIn(["info", "--home", "=", "/x", ""])).toBe("/x");
    expect(homeIn(["info", ""])).toBeUndefined();
  });

  it("finds a way into every command of ours", () => {
    const lost = (command: Command, path: readonly string[]): string[] => {
      const offered = completeWords(program, [...path, ""]).words.map(({ word }) => word);
      return command.commands.flatMap((one) => {
        const here = [...path, one.name()];
        return [...(offered.includes(one.name()) ? [] : [here.join(" ")]), ...lost(one, here)];
      });
    };
    expect(lost(program, [])).toEqual(["__complete"]);
  });
});
