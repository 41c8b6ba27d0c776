import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const ASSETS = "provider/console/assets";

/** Today's build into a folder of one's own, where it can be changed and removed: the tests' own stays untouched. */
export async function copyBuild(folder: string): Promise<void> {
  await copyAssets(folder);
  for (const part of ["package.json", "dist"])
    await cp(join(ROOT, part), join(folder, part), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
}

/** What the console's pages are shown with: it ships as it is, beside what is compiled. */
export async function copyAssets(folder: string): Promise<void> {
  await cp(join(ROOT, ASSETS), join(folder, ASSETS), { recursive: true });
}

export async function makeCheckout(): Promise<{ readonly folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "rac-"));
  await copyBuild(folder);
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
