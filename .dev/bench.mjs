// npm run bench: every test/bench/*.bench.mjs, one after another, in the environment of set-up. Arguments that
// are names (`npm run bench -- up`) choose among them.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { passThrough } from "./hand-over.mjs";
import { setUpOrExit } from "./setup.mjs";
import { checkout } from "./setup/checkout.mjs";

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
for (const name of chosen) {
  console.log(`\n${name.slice(0, -suffix.length)}`);
  const code = await passThrough(node, [join(folder, name)], { env, cwd: checkout });
  if (code !== 0) process.exit(code);
}
