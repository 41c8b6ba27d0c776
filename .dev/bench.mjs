// npm run bench: every test/bench/*.bench.mjs, one after another, in the environment of set-up with the tools that
// they compare with on the PATH. Arguments that are names (`npm run bench up`) choose among them.
import { existsSync, readdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { passThrough } from "./hand-over.mjs";
import { setUpOrExit, setUpTestToolsOrExit } from "./setup.mjs";
import { checkout } from "./setup/checkout.mjs";
import { forBenches } from "./setup/test-tools.mjs";

const suffix = ".bench.mjs";
const folder = join(checkout, "test", "bench");
const subjects = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(suffix)) : [];
const wanted = process.argv.slice(2);
const chosen = subjects.filter(
  (name) => wanted.length === 0 || wanted.includes(name.slice(0, -suffix.length)),
);
if (chosen.length === 0) {
  const known = subjects.map((name) => name.slice(0, -suffix.length)).join(", ") || "none";
  console.error(`no bench of that name; there are: ${known}`);
  process.exit(1);
}

const { env, node } = await setUpOrExit();
for (const { name, why } of await setUpTestToolsOrExit(forBenches)) console.log(`without ${name}: ${why}`);
// Last on the PATH, as the servers beside redis-cli are not the one to measure.
const tools = forBenches.map((tool) => tool.find()).filter((file) => file !== undefined);
env.PATH = [env.PATH, ...tools.map((file) => dirname(file))].join(delimiter);

for (const name of chosen) {
  console.log(`\n${name.slice(0, -suffix.length)}`);
  const code = await passThrough(node, [join(folder, name)], { env, cwd: checkout });
  if (code !== 0) process.exit(code);
}
