import { dirname, join } from "node:path";
import { describe, it } from "vitest";
import { forHeavyTests, type TestTool } from "../../.dev/setup/test-tools.mjs";

/** A program that tests run and the product does not need. */
export interface Tool {
  /** With its version: "age 1.2.1". */
  readonly name: string;
  /** The executable; empty where there is none. */
  readonly path: string;
  /** Why there is none. */
  readonly unavailable?: string;
}

/** The tool whose name begins so: on the PATH or where set-up has put it. */
export function findTool(beginning: string): Tool {
  const tool = forHeavyTests.find(({ name }) => name.startsWith(beginning));
  if (tool === undefined) throw new Error(`set-up knows no tool ${beginning}`);
  return look(tool);
}

function look(tool: TestTool): Tool {
  const path = tool.find();
  if (path !== undefined) return { name: tool.name, path };
  const why = tool.whyNot() ?? "not installed: `npm run setup -- --tests` (or --heavy) does it";
  return { name: tool.name, path: "", unavailable: why };
}

/** The executable; throws why there is none. */
export function pathOf(tool: Tool): string {
  if (tool.unavailable !== undefined) throw new Error(`${tool.name}: ${tool.unavailable}`);
  return tool.path;
}

/** The program beside age that makes keys. */
export const ageKeygenOf = (age: Tool): string => join(dirname(pathOf(age)), "age-keygen");

/**
 * A group of tests that need tools. Where one is lacking they are skipped, and the group's name says why; with CI=true
 * they fail instead. `body` is called in either case: paths may be empty while tests are collected.
 */
export function describeWith(tools: readonly Tool[], name: string, body: () => void): void {
  const lacking = tools.find(({ unavailable }) => unavailable !== undefined);
  if (lacking === undefined) {
    describe(name, body);
  } else if (process.env["CI"]) {
    describe(name, () => {
      it(`has ${lacking.name}`, () => void pathOf(lacking));
    });
  } else {
    const what = lacking.name === name ? "" : `${lacking.name}: `;
    describe.skip(`${name} [${what}${lacking.unavailable}]`, body);
  }
}
