import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { exitCodesHelp } from "../../provider/cli/exit-codes";
import { program } from "../../provider/cli/main";

/** Commands whose whole output is something else than an answer. */
const WITHOUT_JSON: Readonly<Record<string, string>> = {
  "redis-addon connect": "it becomes redis-cli",
  "redis-addon completion": "it prints a script",
  "redis-addon __complete": "it is for those scripts",
};

interface Named {
  readonly path: string;
  readonly command: Command;
}

/** A command with all below it. */
function walk(command: Command, above = ""): Named[] {
  const path = `${above}${command.name()}`;
  return [{ path, command }, ...command.commands.flatMap((one) => walk(one, `${path} `))];
}

/** What `--help` prints, with what is added before and after it. */
function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ ...command.configureOutput(), writeOut: (part) => void (text += part) });
  command.outputHelp();
  return text;
}

const ALL = walk(program);
const LEAVES = ALL.filter(({ command }) => command.commands.length === 0);
const PEOPLES = LEAVES.filter(({ path }) => path !== "redis-addon __complete");

describe("every command", () => {
  it.each(ALL)(
    "$path says what it does, and so does each of its options and arguments",
    ({ path, command }) => {
      expect(command.description()).toMatch(/^\S.*[^.\s]\.?$/);
      for (const { flags, description } of command.options) expect([flags, description]).not.toContain("");
      if (path.endsWith("__complete")) return;
      for (const argument of command.registeredArguments)
        expect([argument.name(), argument.description]).not.toContain("");
    },
  );

  it.each(PEOPLES)("$path has an example in its help, which names it", ({ path, command }) => {
    const [, examples = ""] = helpOf(command).split("\nExamples:\n");
    expect(examples).toContain(path);
  });

  it.each(LEAVES)("$path has --json, or a reason why not", ({ path, command }) => {
    const hasJson = command.options.some(({ long }) => long === "--json");
    expect(hasJson).toBe(!(path in WITHOUT_JSON));
  });

  it.each(PEOPLES)("$path tells once in its help what its exit codes mean", ({ path, command }) => {
    expect(helpOf(command).split(exitCodesHelp(path.replace(/^redis-addon ?/, "")))).toHaveLength(2);
  });
});
