import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import ts from "typescript";
import { makePulumiProject, type PulumiProject } from "./pulumi-project";

const EXAMPLES = join(import.meta.dirname, "../../examples");

/** A program of `examples/`, in a project of the test's own: what it says, its configuration and its name. */
export interface Example {
  readonly project: PulumiProject;
  /** The text of a file of its folder. */
  read(file: string): Promise<string>;
  /** Its program, in TypeScript; another text replaces it. */
  program(text: string): Promise<void>;
}

export async function makeExample(example: string): Promise<Example> {
  const folder = join(EXAMPLES, example);
  const read = (file: string) => readFile(join(folder, file), "utf8");
  const settings = await read("Pulumi.yaml");
  const project = await makePulumiProject();
  const compile = (file: string, text: string) =>
    writeFile(join(project.folder, file.replace(/\.ts$/, ".js")), javascript(file, text));
  // The types are checked with all others; the package that a test's project has is made without them.
  const adapted = settings
    .replace("typescript: true", "typescript: false")
    .replace(/^stackConfigDir:.*$/m, "");
  await writeFile(join(project.folder, "Pulumi.yaml"), adapted);
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(".ts")))
    await compile(file, await read(file));
  return { project, read, program: (text) => compile("index.ts", text) };
}

function javascript(fileName: string, text: string): string {
  const { outputText } = ts.transpileModule(text, {
    fileName: fileName.replace(/\.ts$/, ".cts"),
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.NodeNext },
  });
  return outputText;
}

/** Every change that a page shows as a diff, in order. */
export function diffsIn(page: string): string[] {
  return [...page.matchAll(/^```diff\n([^]*?)^```$/gm)].map(([, diff = ""]) => diff);
}

/** A text with a diff applied, whose parts `@@` separates. What a part replaces must be there once. */
export function withDiff(text: string, diff: string): string {
  return diff.split(/^@@\n/m).reduce(withPart, text);
}

function withPart(text: string, part: string): string {
  const lines = part.split("\n").slice(0, -1);
  const without = (mark: "-" | "+") =>
    lines
      .filter((line) => !line.startsWith(mark))
      .map((line) => `${line.slice(1)}\n`)
      .join("");
  const pieces = text.split(without("+"));
  if (pieces.length !== 2)
    throw new Error(`it stands ${pieces.length - 1} times in the text:\n${without("+")}`);
  return pieces.join(without("-"));
}
