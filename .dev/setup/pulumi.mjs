// The Pulumi CLI with what a Node program needs beside it: the language host, and the script that starts the
// provider of dynamic resources.
import { chmodSync, copyFileSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { cached, installOnce } from "./cache.mjs";
import { checkout } from "./checkout.mjs";
import { choosePulumi } from "./choose.mjs";
import { download, fetchText } from "./download.mjs";
import { missing } from "./stop.mjs";
import { buildPulumi, findGo, installGo } from "./go.mjs";
import { isExecutable, run, versionOf, which } from "./run.mjs";
import { pulumi } from "./versions.mjs";

const name = `pulumi-${pulumi.install}`;
const binIn = (folder) => join(folder, "bin");
const dynamicProvider = "pulumi-resource-pulumi-nodejs";

/**
 * @param {{ log: (line: string) => void }} options after the npm dependencies, which hold the dynamic provider's script
 * @returns {Promise<{ pulumi: string, alsoOnPath: string[] }>} the executable, and folders for the PATH's end
 */
export async function setUpPulumi({ log }) {
  const bin = binIn(cached(name));
  const other = which("pulumi");
  const languageHost =
    other && (isBeside(other, "pulumi-language-nodejs") || which("pulumi-language-nodejs"));
  const version = other && versionOf(other, ["version"], /^v?(\d\S*)/);
  const go = findGo();
  const pip = which("pip3") ?? which("pip");
  const plan = choosePulumi({
    onPath: version ? { version, languageHost: Boolean(languageHost) } : undefined,
    cached: ["pulumi", "pulumi-language-nodejs"].every((file) => isExecutable(join(bin, file))),
    go: go?.version,
    pip: pip !== undefined,
    platform: { os: process.platform, arch: process.arch },
  });
  const why = [];
  for (const { source, because } of plan) {
    if (source === "path") return { pulumi: other, alsoOnPath: foldersFor(other) };
    try {
      if (source !== "cache") await installFrom[source]({ log, because, go, pip });
      addDynamicProvider(bin);
      return { pulumi: join(bin, "pulumi"), alsoOnPath: [] };
    } catch (failure) {
      log(`that failed: ${failure.message}`);
      why.push(failure.message);
    }
  }
  throw missing(
    "pulumi",
    `a Pulumi CLI ${pulumi.atLeast} or newer is needed and could not be installed`,
    why,
  );
}

const installFrom = {
  async download({ log, because }) {
    log(`downloading the Pulumi CLI ${pulumi.install}: ${because}`);
    await install({ log }, async (bin) => {
      const archive = `pulumi-v${pulumi.install}-${process.platform}-${process.arch}.tar.gz`;
      const file = join(bin, archive);
      // From another host than the archive's, so that a changed archive would be noticed.
      const releases = `https://github.com/pulumi/pulumi/releases/download/v${pulumi.install}`;
      const checksums = await fetchText(`${releases}/pulumi-${pulumi.install}-checksums.txt`);
      const sha256 = checksums.match(
        new RegExp(`^([0-9a-f]{64})\\s+\\*?${archive.replaceAll(".", "\\.")}$`, "m"),
      )?.[1];
      if (!sha256) throw new Error(`the list of checksums has no line for ${archive}`);
      await download(`https://get.pulumi.com/releases/sdk/${archive}`, file, {
        sha256,
        onProgress: progress(log),
      });
      await run("tar", ["-xzf", archive, "--strip-components=1"], { cwd: bin });
      rmSync(file);
    });
  },
  async go({ log, because, go }) {
    log(`building the Pulumi CLI ${pulumi.install} with Go, about 5 minutes on 2 cores, once: ${because}`);
    await install({ log }, (bin) => buildPulumi(go, bin));
  },
  async "go-from-pip"({ log, because, pip }) {
    const go = await installGo({ log, because, pip });
    await installFrom.go({ log, because: `with the Go from pip`, go });
  },
};

async function install({ log }, fill) {
  const build = async (folder) => {
    mkdirSync(binIn(folder));
    await fill(binIn(folder));
    const found = versionOf(join(binIn(folder), "pulumi"), ["version"], /^v?(\S+)/);
    if (found !== pulumi.install) throw new Error("the installed Pulumi CLI does not run here");
  };
  await installOnce(name, build, { log });
}

/** Found beside the CLI it is taken without a remark; found on the PATH, each run warns about it. */
function addDynamicProvider(bin) {
  if (isExecutable(join(bin, dynamicProvider))) return;
  const temporary = join(bin, `.${dynamicProvider}-${process.pid}`);
  copyFileSync(join(checkout, "node_modules", "@pulumi", "pulumi", dynamicProvider), temporary);
  chmodSync(temporary, 0o755);
  renameSync(temporary, join(bin, dynamicProvider));
}

/** A CLI that isn't ours is left as it is. Where it lacks the script, the one of the npm package is used. */
function foldersFor(other) {
  if (isBeside(other, dynamicProvider) || which(dynamicProvider)) return [];
  return [join(checkout, "node_modules", "@pulumi", "pulumi")];
}

const isBeside = (file, sibling) => isExecutable(join(dirname(file), sibling));

function progress(log) {
  let lastAt = Date.now();
  return (receivedBytes, totalBytes) => {
    if (Date.now() - lastAt < 5_000) return;
    lastAt = Date.now();
    const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;
    log(`${megabytes(receivedBytes)}${totalBytes ? ` of ${megabytes(totalBytes)}` : ""}`);
  };
}
