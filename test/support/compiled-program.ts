import { globSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import ts from "typescript";

const ROOT = join(import.meta.dirname, "../..");

export interface CompiledProgram extends AsyncDisposable {
  /** The compiled counterpart of a source file: `path("provider/job/main.ts")`. */
  path(source: string): string;
}

/**
 * The provider's source as the JavaScript that ships, in a folder of its own: for tests that start one of its programs
 * and must not depend on whether `dist` is there and up to date. Types are not checked; that has its own step.
 */
export async function compileProgram(): Promise<CompiledProgram> {
  const folder = await mkdtemp(join(tmpdir(), "redis-addon-compiled-"));
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const compiled = (source: string) => join(folder, source.replace(/\.ts$/, ".js"));
  for (const source of globSync("provider/**/*.ts", { cwd: ROOT })) {
    const { outputText } = ts.transpileModule(await readFile(join(ROOT, source), "utf8"), {
      fileName: source,
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.CommonJS,
        esModuleInterop: true,
      },
    });
    await mkdir(dirname(compiled(source)), { recursive: true });
    await writeFile(compiled(source), outputText);
  }
  return { path: compiled, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
