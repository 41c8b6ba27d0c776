// Small programs that most machines have or can get as a package: taken from the PATH, otherwise unpacked from a
// Debian package.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cached, installOnce } from "../cache.mjs";
import { unpackDebianPackages, whyNoDebianPackages } from "../debian.mjs";
import { isExecutable, run, which } from "../run.mjs";
import { wrapWithLibraries } from "../wrapper.mjs";

/** Reads archives with another implementation than GNU tar's. */
export const bsdtar = debianTool("bsdtar", "libarchive-tools");
/** Compresses on all cores: what users would pipe a backup through. */
export const pigz = debianTool("pigz", "pigz");
/** In the distribution's version, beside those that the servers of the matrix bring. */
export const redisCli = debianTool("redis-cli", "redis-tools");

/** @returns {import("../test-tools.mjs").TestTool} */
function debianTool(program, debianPackage) {
  const name = `${program}-from-debian`;
  const file = (folder) => join(folder, "bin", program);
  return {
    name: program,
    lane: "downloads",
    find: () => which(program) ?? (isExecutable(file(cached(name))) ? file(cached(name)) : undefined),
    whyNot: whyNoDebianPackages,
    async install({ log }) {
      log(`unpacking ${program} from the Debian package ${debianPackage}, for tests`);
      const build = async (folder) => {
        const root = join(folder, "packages");
        mkdirSync(join(folder, "bin"));
        mkdirSync(root);
        await unpackDebianPackages([debianPackage], root);
        renameSync(join(root, "usr", "bin", program), file(folder));
        if (!(await runs(file(folder)))) await addLibraries(folder, root);
        rmSync(root, { recursive: true });
        await run(file(folder), ["--version"]);
      };
      await installOnce(name, build, { log });
    },
  };

  async function addLibraries(folder, root) {
    await unpackDebianPackages([debianPackage], root, { withLibraries: true });
    mkdirSync(join(folder, "lib"));
    for (const libraries of libraryFolders(root)) {
      for (const name of readdirSync(libraries).filter((name) => /\.so(\.|$)/.test(name))) {
        renameSync(join(libraries, name), join(folder, "lib", name));
      }
    }
    wrapWithLibraries(file(folder));
  }
}

const runs = (program) =>
  run(program, ["--version"]).then(
    () => true,
    () => false,
  );

/** Debian keeps libraries in a folder named by the processor, such as usr/lib/x86_64-linux-gnu. */
function libraryFolders(root) {
  return ["lib", join("usr", "lib")]
    .map((name) => join(root, name))
    .filter(existsSync)
    .flatMap((lib) =>
      readdirSync(lib)
        .filter((name) => name.endsWith("-linux-gnu"))
        .map((name) => join(lib, name)),
    );
}
