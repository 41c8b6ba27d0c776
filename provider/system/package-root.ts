import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** This package's own folder: the nearest one above this file that holds a package.json. */
export const PACKAGE_ROOT = packageRoot(__dirname);

function packageRoot(folder: string): string {
  if (existsSync(join(folder, "package.json"))) return folder;
  if (folder === dirname(folder)) throw new Error(`no package.json stands above ${__dirname}`);
  return packageRoot(dirname(folder));
}
