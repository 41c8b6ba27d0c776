import type { Argument, Command, Option } from "commander";

/** What may stand where the cursor is, whatever is typed of it already. */
interface Meant {
  /** Whole words. */
  readonly words: readonly CompletedWord[];
  /** The names of add-ons may stand there, each behind this: `--into=`, mostly nothing. */
  readonly names?: string;
  /** A path may stand there. */
  readonly files?: true;
}

export interface Completion extends Meant {
  /** What is typed of it; only what begins so completes it. */
  readonly current: string;
}

interface CompletedWord {
  readonly word: string;
  readonly meaning: string;
}

/** What backups may be called wherever one is asked for. */
const BACKUPS = ["latest", "latest-verified"];

/**
 * Completes the last of the words that were typed behind the program's name, by the program's own tree of commands. The
 * words are those of a shell; bash breaks `--into=cache` into three, which are put together again.
 */
export function completeWords(program: Command, typed: readonly string[]): Completion {
  const words = joined(typed);
  const current = words.at(-1) ?? "";
  return { current, ...meantAt(walk(program, words.slice(0, -1)), current) };
}

function meantAt({ command, operands, pending, onlyOperands }: Place, current: string): Meant {
  if (pending !== undefined) return valuesOf(pending, "");
  const assigned = /^(--[^=]+)=/.exec(current);
  if (assigned !== null && !onlyOperands) {
    const option = find(command, assigned[1] ?? "");
    return option === undefined ? { words: [] } : valuesOf(option, assigned[0]);
  }
  if (current.startsWith("-") && !onlyOperands) return { words: optionsOf(command) };
  const commands = operands > 0 ? [] : visibleCommands(command);
  const named = commands.map((one) => ({ word: one.name(), meaning: one.description() }));
  const argument = argumentAt(command, operands);
  const asked = argument === undefined ? { words: [] } : meant(argument.name(), argument.argChoices, "");
  return { ...asked, words: [...named, ...asked.words] };
}

/** The data home that the words name; absent: none. */
export function homeIn(typed: readonly string[]): string | undefined {
  const words = joined(typed);
  const at = words.findLastIndex((word) => word === "--home" || word.startsWith("--home="));
  const word = words[at];
  return word === "--home" ? words[at + 1] : word?.slice("--home=".length);
}

interface Place {
  readonly command: Command;
  /** How many operands stand before the cursor. */
  readonly operands: number;
  /** The option whose value the cursor is at. */
  readonly pending: Option | undefined;
  /** Behind `--` nothing is an option. */
  readonly onlyOperands: boolean;
}

function walk(program: Command, words: readonly string[]): Place {
  let place: Place = { command: program, operands: 0, pending: undefined, onlyOperands: false };
  for (const word of words) place = step(place, word);
  return place;
}

function step(place: Place, word: string): Place {
  const { command, operands, pending, onlyOperands } = place;
  if (pending !== undefined) return { ...place, pending: undefined };
  if (word === "--") return { ...place, onlyOperands: true };
  if (word.startsWith("-") && !onlyOperands) {
    const option = find(command, word);
    return option?.required === true ? { ...place, pending: option } : place;
  }
  const next = operands > 0 ? undefined : command.commands.find((one) => one.name() === word);
  return next === undefined ? { ...place, operands: operands + 1 } : { ...place, command: next };
}

function find(command: Command, flag: string): Option | undefined {
  return allOptions(command).find(({ long, short }) => long === flag || short === flag);
}

/** Those of a command, and those that every command takes. */
function allOptions(command: Command): readonly Option[] {
  return [...command.options, ...(command.parent === null ? [] : allOptions(command.parent))];
}

function optionsOf(command: Command): CompletedWord[] {
  const shown = allOptions(command).filter(({ hidden, long }) => !hidden && long !== undefined);
  const words = shown.map(({ long, description }) => ({ word: long ?? "", meaning: description }));
  return [...words, { word: "--help", meaning: "what it does, with examples" }];
}

function visibleCommands(command: Command): readonly Command[] {
  const shown = command.createHelp().visibleCommands(command);
  return shown.filter((one) => command.commands.includes(one));
}

function argumentAt({ registeredArguments: all }: Command, index: number): Argument | undefined {
  const last = all.at(-1);
  return all[index] ?? (last?.variadic === true ? last : undefined);
}

function valuesOf(option: Option, before: string): Meant {
  const [, placeholder = ""] = /[<[]([^>\]]+)/.exec(option.flags) ?? [];
  return meant(placeholder, option.argChoices, before);
}

/** What a placeholder stands for: `<add-on>`, `<file>`. */
function meant(placeholder: string, choices: readonly string[] | undefined, before: string): Meant {
  const words = (found: readonly string[]) => found.map((word) => ({ word: before + word, meaning: "" }));
  if (choices !== undefined) return { words: words(choices) };
  switch (placeholder.replace(/\.\.\.$/, "")) {
    case "add-on":
    case "name":
      return { words: [], names: before };
    case "backup":
      return { words: words(BACKUPS) };
    case "file":
    case "folder":
    case "path":
      return { words: [], files: true };
    default:
      return { words: [] };
  }
}

function joined(typed: readonly string[]): string[] {
  const words: string[] = [];
  let joins = false;
  for (const word of typed) {
    const last = words.at(-1);
    const assigns = word === "=" && last?.startsWith("--") === true;
    if (last !== undefined && (joins || assigns)) words[words.length - 1] = last + word;
    else words.push(word);
    joins = assigns;
  }
  return words;
}
