// A Node that is new enough for this project. The one that runs these scripts may be as old as 20.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { cached, installOnce } from "./cache.mjs";
import { chooseNode } from "./choose.mjs";
import { missing } from "./stop.mjs";
import { isExecutable, run, versionOf, which } from "./run.mjs";
import { node } from "./versions.mjs";

const name = `node-${node.install}`;
const binIn = (folder) => join(folder, "node_modules", ".bin");

/** @param {{ log: (line: string) => void }} options @returns {Promise<string>} the executable */
export async function setUpNode({ log }) {
  const running = process.versions.node;
  const other = which("node");
  const [step] = chooseNode({
    running,
    onPath: other && other !== process.execPath ? versionOf(other, ["--version"], /^v(\S+)/) : undefined,
    cached: isExecutable(join(binIn(cached(name)), "node")),
    platform: { os: process.platform, arch: process.arch },
  });
  if (step?.source === "running") return process.execPath;
  if (step?.source === "path") return other;
  if (step?.source === "cache") return join(binIn(cached(name)), "node");
  if (!step) throw missing("node", `Node ${node.atLeast} or newer is needed, this is ${running}`, []);

  log(`installing Node ${node.install} from its npm package: ${step.because}`);
  try {
    return join(binIn(await installOnce(name, installFromNpm, { log })), "node");
  } catch (failure) {
    throw missing("node", `Node ${node.atLeast} or newer is needed, this is ${running}`, [failure.message]);
  }
}

async function installFromNpm(folder) {
  // The package `node` only picks one of these in an install script, which npm may be told not to run.
  const family = process.platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node";
  const spec = `${family}-${process.platform}-${process.arch}@${node.install}`;
  const args = ["install", "--prefix", folder, "--no-audit", "--no-fund", "--loglevel=error", spec];
  await run("npm", args, { cwd: folder });
  // As the npm package sets nothing else up, a Node that doesn't start here must not stay in the cache.
  const installed = versionOf(join(binIn(folder), "node"), ["--version"], /^v(\S+)/);
  if (installed !== node.install) throw new Error(`${spec} was installed but does not run`);
  rmSync(join(folder, "package-lock.json"), { force: true });
}
