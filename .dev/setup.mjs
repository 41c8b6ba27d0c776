// Makes this checkout ready: what the machine has is used, what it lacks is installed into the checkout's
// node_modules and into a cache folder outside it. Run again, it finds everything in place in under 2 s.
//
// `npm run setup` runs it alone, `npm run setup -- --tests` with what only tests need (`--heavy`: and heavy tests);
// the other scripts in this folder begin with it.
import { realpathSync } from "node:fs";
import { basename, delimiter, dirname } from "node:path";
import { setUpBuild } from "./setup/build.mjs";
import { setUpDependencies } from "./setup/dependencies.mjs";
import { refuseWindows, Stop } from "./setup/stop.mjs";
import { setUpNode } from "./setup/node.mjs";
import { setUpPulumi } from "./setup/pulumi.mjs";
import { setUpRedis } from "./setup/redis.mjs";
import { isMain, ProgramFailed, which } from "./setup/run.mjs";

const toStderr = (line) => process.stderr.write(`set-up: ${line}\n`);

/**
 * @param {{ log?: (line: string) => void }} [options] `log` gets one line for each thing that is done, none
 *   for what was found in place; by default they go to stderr, because stdout belongs to the programs we run
 * @returns {Promise<{ env: NodeJS.ProcessEnv, node: string, pulumi: string, redisServer: string }>} the three
 *   executables, and this process's environment with them on its PATH
 */
export async function setUp({ log = toStderr } = {}) {
  refuseWindows();
  const startedAt = Date.now();
  let lines = 0;
  const counting = { log: (line) => (lines++, log(line)) };

  // What can fail fast comes before what can take minutes.
  const node = await setUpNode(counting);
  const redisServer = await setUpRedis(counting);
  await setUpDependencies({ ...counting, node });
  const { pulumi, alsoOnPath } = await setUpPulumi(counting);
  await setUpBuild({ ...counting, node });

  if (lines > 0) log(`ready after ${Math.round((Date.now() - startedAt) / 1000)} s`);
  // A tool that the PATH already leads to adds nothing: its folder, moved to the front, would shadow others.
  const folders = [node, pulumi, redisServer].filter((file) => !leadsTo(file)).map((file) => dirname(file));
  const path = [...new Set([...folders, process.env.PATH ?? "", ...alsoOnPath])];
  return { env: { ...process.env, PATH: path.join(delimiter) }, node, pulumi, redisServer };
}

function leadsTo(file) {
  const found = which(basename(file));
  return found !== undefined && realpathSync(found) === realpathSync(file);
}

/** For scripts: a failed set-up ends the process. */
export async function setUpOrExit(options) {
  try {
    return await setUp(options);
  } catch (failure) {
    return exitWith(failure);
  }
}

/**
 * What tests or benches need beyond set-up. A failed one ends the process.
 * @param {readonly import("./setup/test-tools.mjs").TestTool[]} tools
 */
export async function setUpTestToolsOrExit(tools, { log = toStderr } = {}) {
  const { setUpTestTools } = await import("./setup/test-tools.mjs");
  try {
    return await setUpTestTools(tools, { log });
  } catch (failure) {
    return exitWith(failure);
  }
}

/** Ends the process; a reason that is written for people is shown without a stack trace. */
export function exitWith(failure) {
  const isForPeople = failure instanceof Stop || failure instanceof ProgramFailed;
  console.error(isForPeople ? `\n${failure.message}` : failure);
  process.exit(1);
}

if (isMain(import.meta)) {
  const [option] = process.argv.slice(2);
  const { node, pulumi, redisServer } = await setUpOrExit();
  const lines = [
    ["node", node],
    ["pulumi", pulumi],
    ["redis-server", redisServer],
  ];
  if (option === "--tests" || option === "--heavy") {
    const { forHeavyTests, forTests } = await import("./setup/test-tools.mjs");
    const tools = option === "--heavy" ? forHeavyTests : forTests;
    const lacking = await setUpTestToolsOrExit(tools);
    const whyNot = (tool) => `not available: ${lacking.find(({ name }) => name === tool.name)?.why}`;
    lines.push(...tools.map((tool) => [tool.name, tool.find() ?? whyNot(tool)]));
  }
  const width = Math.max(...lines.map(([name]) => name.length));
  for (const [name, place] of lines) console.log(`${name.padEnd(width)}  ${place}`);
}
