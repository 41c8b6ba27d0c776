// Programs and libraries out of Debian packages, without root: apt works in folders of its own, and the
// packages are only unpacked. Nothing is installed, and the machine's own apt is read, never changed.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, which } from "./run.mjs";

/** @returns {string | undefined} why packages can't be had here */
export function whyNoDebianPackages() {
  const lacking = ["apt-get", "apt-cache", "dpkg"].filter((name) => !which(name));
  return lacking.length > 0 ? `there is no ${lacking.join(" and no ")} here` : undefined;
}

/**
 * Unpacks packages below `folder`, which then looks like a file system's root.
 * @param {string[]} packages
 * @param {string} folder
 * @param {{ suite?: string, withLibraries?: boolean }} [options] `suite`: another release than the machine's, from the
 *   same servers; `withLibraries`: all that the packages depend on too, but the C library, which must be the machine's
 */
export async function unpackDebianPackages(packages, folder, { suite, withLibraries = false } = {}) {
  const why = whyNoDebianPackages();
  if (why) throw new Error(why);
  const source = sourceLine(readSources("/etc/apt"), suite);
  if (!source) throw new Error("apt has no source here that is Debian's or Ubuntu's");
  const temporary = mkdtempSync(join(tmpdir(), "redis-addon-apt-"));
  try {
    const options = aptFolders(temporary, source);
    await run("apt-get", [...options, "--quiet", "update"]);
    const wanted = withLibraries ? await withDependencies(packages, options) : packages;
    await run("apt-get", [...options, "--quiet", "download", ...wanted], { cwd: temporary });
    for (const name of readdirSync(temporary).filter((name) => name.endsWith(".deb"))) {
      await run("dpkg", ["-x", join(temporary, name), folder]);
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Options that keep all that apt writes below a folder. */
function aptFolders(folder, source) {
  for (const name of ["lists/partial", "cache/archives/partial"])
    mkdirSync(join(folder, name), { recursive: true });
  const list = join(folder, "sources.list");
  writeFileSync(list, `${source}\n`);
  // Nothing counts as installed: apt would look for exactly the versions that the machine has.
  writeFileSync(join(folder, "status"), "");
  return [
    `Dir::Etc::sourcelist=${list}`,
    "Dir::Etc::sourceparts=-",
    `Dir::State::lists=${join(folder, "lists")}`,
    `Dir::State::status=${join(folder, "status")}`,
    `Dir::Cache=${join(folder, "cache")}`,
    // Run by root, apt would fetch as a user who may not write here.
    "APT::Sandbox::User=",
  ].flatMap((option) => ["-o", option]);
}

async function withDependencies(packages, options) {
  const kinds = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"];
  const only = kinds.map((kind) => `--no-${kind}`);
  const tree = await run("apt-cache", [...options, "depends", "--recurse", ...only, ...packages]);
  return librariesOf(tree, packages);
}

/**
 * The real packages in what `apt-cache depends --recurse` prints, without the C library and its kin.
 * @param {string} tree @param {string[]} packages
 */
export function librariesOf(tree, packages) {
  // Names at a line's start are packages; those in <…> are virtual, indented ones are repeated at a line's start.
  const names = tree.split("\n").filter((line) => /^[a-z0-9][a-z0-9+.-]*(:\w+)?$/.test(line));
  const ofTheMachine = /^(libc6|libgcc-s1|libcrypt1|gcc-\d+-base|dpkg|debconf|tar|perl-base)(:|$)/;
  return [...new Set([...packages, ...names.filter((name) => !ofTheMachine.test(name))])];
}

function readSources(folder) {
  const parts = join(folder, "sources.list.d");
  const files = existsSync(parts)
    ? readdirSync(parts)
        .sort()
        .map((name) => join(parts, name))
    : [];
  return [join(folder, "sources.list"), ...files]
    .filter((file) => existsSync(file) && /\.(list|sources)$/.test(file))
    .map((file) => readFileSync(file, "utf8"));
}

/**
 * One line for a sources.list, made from the first source that is Debian's or Ubuntu's own.
 * @param {string[]} files contents of apt's source files, in the old form (lines) or the new one (paragraphs)
 * @param {string} [suite] absent: that source's own
 * @returns {string | undefined}
 */
export function sourceLine(files, suite) {
  const sources = files.flatMap((text) => [...fromLines(text), ...fromParagraphs(text)]);
  const found = sources.find(
    ({ uri, components }) => /\/(debian|ubuntu)(\/|$)/.test(uri) && components.includes("main"),
  );
  if (!found) return undefined;
  const options = found.signedBy ? `[signed-by=${found.signedBy}] ` : "";
  // libarchive's tools and pigz stand in Ubuntu's "universe".
  const components = found.components.filter((name) => name === "main" || name === "universe");
  return `deb ${options}${found.uri} ${suite ?? found.suite} ${components.join(" ")}`;
}

function fromLines(text) {
  return [...text.matchAll(/^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)$/gm)].map(
    ([, options = "", uri, suite, components]) => ({
      uri,
      suite,
      components: components.trim().split(/\s+/),
      signedBy: options.match(/signed-by=(\S+)/)?.[1],
    }),
  );
}

function fromParagraphs(text) {
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const field = (name) =>
      paragraph
        .match(new RegExp(`^${name}:[ \\t]*(.+)$`, "mi"))?.[1]
        .trim()
        .split(/\s+/);
    const [types, uris, suites, components] = ["Types", "URIs", "Suites", "Components"].map(field);
    if (!types?.includes("deb") || !uris || !suites || !components) return [];
    // A key that stands in the paragraph itself (more than one line) can't go into a line.
    const [signedBy] = field("Signed-By") ?? [];
    return [
      {
        uri: uris[0],
        suite: suites[0],
        components,
        signedBy: signedBy?.startsWith("/") ? signedBy : undefined,
      },
    ];
  });
}
