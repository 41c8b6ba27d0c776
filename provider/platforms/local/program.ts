import { createHash, randomUUID } from "node:crypto";
import { existsSync, realpathSync } from "node:fs";
import { copyFile, cp, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { z } from "zod";
import { copyExecutable } from "../../system/copy-executable";
import type { HomeLayout } from "./home";

const PackageSchema = z.object({
  name: z.string(),
  version: z.string(),
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});

/** This package's own folder: the nearest one above this file that holds a package.json. */
const PACKAGE_ROOT = packageRoot(__dirname);
const AGENT_ENTRY = join("dist", "provider", "agent", "main.js");

/** One build of this package; two builds of one version differ in the digest. */
export interface Program {
  readonly id: string;
  readonly version: string;
}

let ownProgram: Promise<Program> | undefined;

/** The build that this process runs. */
export function thisProgram(): Promise<Program> {
  ownProgram ??= identifyProgram();
  return ownProgram;
}

async function identifyProgram(): Promise<Program> {
  const { version } = await readPackage(PACKAGE_ROOT);
  const hash = createHash("sha256");
  const files = await readdir(join(PACKAGE_ROOT, "dist", "provider"), { recursive: true });
  for (const file of files.filter((name) => name.endsWith(".js")).sort())
    hash.update(`${file}\0`).update(await readFile(join(PACKAGE_ROOT, "dist", "provider", file)));
  return { id: `${version}-${hash.digest("hex").slice(0, 12)}`, version };
}

/**
 * Copies this build, with the packages it needs, below the data home, unless it is there already. The agent and its
 * jobs run from that copy: `npm ci` or a removed checkout must not stop a database.
 *
 * @returns the agent's entry file within the copy.
 */
export async function keepProgram(layout: HomeLayout, program: Program): Promise<string> {
  const target = join(layout.programs, program.id);
  if (!existsSync(target)) {
    await mkdir(layout.programs, { recursive: true, mode: 0o700 });
    const unfinished = `${target}.${randomUUID()}.tmp`;
    await copyPackage(PACKAGE_ROOT, unfinished, unfinished, ["dist/provider"]);
    await rename(unfinished, target).catch(async (error: NodeJS.ErrnoException) => {
      await rm(unfinished, { recursive: true, force: true });
      // Somebody else finished the same copy first.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  }
  return join(target, AGENT_ENTRY);
}

/** The Node to run the agent with: a copy where this one lies inside a checkout and would go away with it. */
export async function keepNode(layout: HomeLayout): Promise<string> {
  if (!insideCheckout(process.execPath)) return process.execPath;
  const target = join(layout.programs, `node-${process.version}`);
  if (!existsSync(target)) await copyExecutable(process.execPath, target);
  return target;
}

function insideCheckout(path: string): boolean {
  if (path.includes(`${sep}node_modules${sep}`)) return true;
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder))
    if (existsSync(join(folder, ".git"))) return true;
  return false;
}

/** Copies one package and, beside the root or below it, what it depends on, as Node's resolution will look for it. */
async function copyPackage(source: string, target: string, root: string, parts?: string[]): Promise<void> {
  const { dependencies, optionalDependencies } = await readPackage(source);
  await mkdir(target, { recursive: true, mode: 0o700 });
  if (parts === undefined)
    await cp(source, target, { recursive: true, filter: (path) => isNeeded(source, path) });
  else {
    await copyFile(join(source, "package.json"), join(target, "package.json"));
    for (const part of parts) await cp(join(source, part), join(target, part), { recursive: true });
  }
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
    await copyPackage(found, existsSync(shared) ? join(target, "node_modules", name) : shared, root);
  }
}

/** Types and maps are a third of the bytes and never run; nested packages are copied where they are resolved. */
function isNeeded(root: string, path: string): boolean {
  return (
    path === root ||
    (!/\.(d\.[cm]?ts|map|md)$/.test(path) && !path.slice(root.length).includes("node_modules"))
  );
}

function packageRoot(folder: string): string {
  return existsSync(join(folder, "package.json")) ? folder : packageRoot(dirname(folder));
}

function findPackage(from: string, name: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    // pnpm links packages into place; copying such a link would copy nothing.
    if (existsSync(join(candidate, "package.json"))) return realpathSync(candidate);
    if (folder === dirname(folder)) return undefined;
  }
}

async function readPackage(folder: string): Promise<z.infer<typeof PackageSchema>> {
  return PackageSchema.parse(JSON.parse(await readFile(join(folder, "package.json"), "utf8")));
}
