import { existsSync, realpathSync } from "node:fs";
import { copyFile, cp, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";

const PackageSchema = z.object({
  name: z.string(),
  version: z.string(),
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});

/** Copies these parts of a package, with everything that it depends on, into a folder that runs by itself. */
export async function copyProgram(source: string, target: string, parts: readonly string[]): Promise<void> {
  await mkdir(target, { recursive: true, mode: 0o700 });
  await copyFile(join(source, "package.json"), join(target, "package.json"));
  for (const part of parts) await cp(join(source, part), join(target, part), { recursive: true });
  await copyDependencies(source, target, target);
}

/** Copies what a package depends on, beside the root or below it, as Node's resolution will look for it. */
async function copyDependencies(source: string, target: string, root: string): Promise<void> {
  const { dependencies, optionalDependencies } = await readPackage(source);
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const found = findPackage(source, name);
    if (found === undefined) {
      if (name in optionalDependencies) continue;
      throw new Error(`the package ${name}, which ${source} needs, is not installed; run npm install`);
    }
    const shared = join(root, "node_modules", name);
    const sameThere =
      existsSync(shared) && (await readPackage(shared)).version === (await readPackage(found)).version;
    if (sameThere) continue;
    const copy = existsSync(shared) ? join(target, "node_modules", name) : shared;
    await mkdir(copy, { recursive: true, mode: 0o700 });
    await cp(found, copy, { recursive: true, filter: (path) => isNeeded(found, path) });
    await copyDependencies(found, copy, root);
  }
}

/** Sources, types and maps are half of the files and never run; nested packages are copied where they are resolved. */
function isNeeded(root: string, path: string): boolean {
  return (
    path === root || (!/\.([cm]?ts|map|md)$/.test(path) && !path.slice(root.length).includes("node_modules"))
  );
}

function findPackage(from: string, name: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    // pnpm links packages into place; copying such a link would copy nothing.
    if (existsSync(join(candidate, "package.json"))) return realpathSync(candidate);
    if (folder === dirname(folder)) return undefined;
  }
}

export async function readPackage(folder: string): Promise<z.infer<typeof PackageSchema>> {
  return PackageSchema.parse(JSON.parse(await readFile(join(folder, "package.json"), "utf8")));
}
