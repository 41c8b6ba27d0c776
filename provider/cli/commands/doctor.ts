import { Command } from "commander";
import { type Check, type CheckResult, examine } from "../../operations/doctor";
import { contextOf } from "../context";
import { EXIT } from "../exit-codes";
import { printJson, printLine, printTable } from "../print";

const HELP = `
Versions, the agent and its service, memory, disks and what lies on them, the kernel's settings, the clock, permissions
and the health of all backups: each with what was seen, why it matters and what to do. Nothing is changed or started.

It ends with code 11 where it found a problem, with 0 where there are warnings at most.

Examples:
  redis-addon doctor
  redis-addon doctor --json | jq '.[] | select(.result == "problem")'`;

const WORDS: Readonly<Record<CheckResult, string>> = {
  problem: "PROBLEM",
  warning: "warning",
  ok: "ok",
  "not-applicable": "-",
};

export function doctorCommand(): Command {
  return new Command("doctor")
    .description("what on this machine keeps add-ons from working, or may one day, and what to do about it")
    .option("--json", "an array, one object for each check, the worst first")
    .addHelpText("after", HELP)
    .action(async (options: { readonly json?: boolean }, command: Command) => {
      const { home, platform, task } = await contextOf(command);
      const checks = await examine(home, platform, task);
      if (checks.some(({ result }) => result === "problem")) process.exitCode = EXIT.unsound;
      if (options.json === true) return printJson(checks);
      printTable(
        ["RESULT", "CHECK", "SEEN"],
        checks.map(({ id, result, seen }) => [WORDS[result], id, seen]),
      );
      checks.forEach(printAdvice);
    });
}

function printAdvice({ id, result, seen, why, remedy }: Check): void {
  if (why === undefined || remedy === undefined) return;
  printLine(`\n${WORDS[result]}: ${id}: ${seen}`);
  printLine(`  why: ${why}`);
  printLine(`  do:  ${remedy}`);
}
