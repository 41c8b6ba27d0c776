// Chromium out of Debian's packages, without root: with its libraries, and with fonts of its own, so that pages
// look the same on every machine that has it from here.
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { cached, installOnce } from "../cache.mjs";
import { unpackDebianPackages, whyNoDebianPackages } from "../debian.mjs";
import { run } from "../run.mjs";
import { writeWrapper } from "../wrapper.mjs";
import { showsPages } from "./shows-pages.mjs";

const name = "chromium-from-debian";
/** The same engine as in the package chromium, without windows and the half of the libraries that these need. */
const program = "chromium-headless-shell";
const file = (folder) => join(folder, "bin", program);

export const fromDebian = {
  file: () => file(cached(name)),
  whyNot: () => (isDebian() ? whyNoDebianPackages() : "Debian's packages are for Debian alone"),
  async install({ log }) {
    log(`unpacking Chromium from the Debian package ${program}, 200 MB to download, for tests`);
    const build = async (folder) => {
      const root = join(folder, "packages");
      mkdirSync(root);
      await unpackDebianPackages([program, "fonts-liberation", "fonts-dejavu-core"], root, {
        withLibraries: true,
      });
      // Beside the program lies what it reads: translations, tables of characters, its own graphics libraries.
      renameSync(join(root, "usr", "lib", "chromium"), join(folder, "libexec"));
      await keepLibraries(folder, root);
      keepFonts(folder, root);
      rmSync(root, { recursive: true });
      mkdirSync(join(folder, "bin"));
      writeWrapper(file(folder), { FONTCONFIG_FILE: "fonts/fonts.conf" });
      await showsPages(file(folder));
    };
    await installOnce(name, build, { log });
  },
};

/** Ubuntu has a package of that name too, which only fetches a snap. */
function isDebian() {
  try {
    return /^ID=debian$/m.test(readFileSync("/etc/os-release", "utf8"));
  } catch {
    return false;
  }
}

/** Those that it is linked to: the packages depend on far more, such as a compiler for graphics cards. */
async function keepLibraries(folder, root) {
  const libraries = [join("usr", "lib"), "lib"].flatMap((lib) => foldersOfLibraries(join(root, lib)));
  const linked = await run("ldd", [join(folder, "libexec", program)], {
    env: { ...process.env, LD_LIBRARY_PATH: libraries.join(":") },
  });
  const needed = [...linked.matchAll(/=> (\S+) \(/g)]
    .map(([, path]) => path)
    .filter((path) => path.startsWith(root));
  // libnss3 loads the others of its package by name.
  const loaded = libraries.flatMap((place) =>
    readdirSync(place)
      .filter((name) => /^lib(softokn3|freebl3|freeblpriv3|nssckbi)\.(so|chk)$/.test(name))
      .map((name) => join(place, name)),
  );
  mkdirSync(join(folder, "lib"));
  for (const path of [...needed, ...loaded]) copyFileSync(path, join(folder, "lib", basename(path)));
}

/** usr/lib/x86_64-linux-gnu and the folders in it: some packages keep libraries in one of their own. */
function foldersOfLibraries(lib) {
  const foldersIn = (folder) =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name));
  return foldersIn(lib)
    .filter((folder) => folder.endsWith("-linux-gnu"))
    .flatMap((folder) => [folder, ...foldersIn(folder)]);
}

/** Liberation is drawn as wide as Arial and Courier, DejaVu has the signs that it lacks. */
function keepFonts(folder, root) {
  const fonts = join(folder, "fonts");
  for (const family of ["liberation", "dejavu"]) {
    cpSync(join(root, "usr", "share", "fonts", "truetype", family), join(fonts, family), {
      recursive: true,
      dereference: true,
    });
  }
  const prefer = (generic, font) =>
    `  <alias><family>${generic}</family><prefer><family>${font}</family></prefer></alias>`;
  const lines = [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">',
    "<fontconfig>",
    '  <dir prefix="relative">.</dir>',
    '  <cachedir prefix="xdg">fontconfig</cachedir>',
    // A family that isn't there, and none at all (what Chromium asks for as system-ui), is like sans-serif.
    '  <match><edit name="family" mode="append_last"><string>sans-serif</string></edit></match>',
    prefer("sans-serif", "Liberation Sans"),
    prefer("serif", "Liberation Serif"),
    prefer("monospace", "Liberation Mono"),
    "</fontconfig>",
  ];
  writeFileSync(join(fonts, "fonts.conf"), `${lines.join("\n")}\n`);
}
