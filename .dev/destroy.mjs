// npm run destroy: removes what npm start has made. Backups stay.
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { pulumiEnvironment, stateFolder } from "./environment.mjs";
import { passThrough } from "./hand-over.mjs";
import { checkout } from "./setup/checkout.mjs";
import { run } from "./setup/run.mjs";
import { exitWith, setUpOrExit } from "./setup.mjs";
import { clearLeftovers, exists, project, stack } from "./start/stack.mjs";

const log = (line) => console.log(`npm run destroy: ${line}`);
const { env: tools, node, pulumi } = await setUpOrExit();
const env = pulumiEnvironment(tools);
const options = { env, cwd: checkout };

try {
  if (!(await exists({ pulumi, options }))) {
    log(`there is no stack "${stack}", so there is nothing to destroy`);
    process.exit(0);
  }
  const unrecorded = await clearLeftovers({ pulumi, options, log });
  const code = await passThrough(
    pulumi,
    ["destroy", "--yes", "--non-interactive", "--stack", stack],
    options,
  );
  if (code !== 0) {
    console.error(
      `\nnpm run destroy: failed with exit code ${code}; correct the reason above and run it again`,
    );
    process.exit(code);
  }
  await removeUnrecorded(unrecorded);
} catch (failure) {
  exitWith(failure);
}

/** The add-ons of a killed run that died before it could write them down: Pulumi can't destroy what it doesn't know. */
async function removeUnrecorded(names) {
  if (names.length === 0) return;
  const redisAddon = join(checkout, "dist", "provider", "cli", "main.js");
  const there = JSON.parse(await run(node, [redisAddon, "list", "--json"], { env }));
  // A create that was refused because the name is somebody else's is pending too: theirs is not ours to delete.
  const isOurs = ({ owner }) => owner.project === project && owner.stack === stack;
  for (const { name } of there.filter((addon) => names.includes(addon.name) && isOurs(addon)))
    log((await run(node, [redisAddon, "delete", name, "--yes"], { env })).trim());
}

// The same place that the agent takes where the program names none.
const { REDIS_ADDON_HOME: named, XDG_DATA_HOME: data } = env;
const base = data && isAbsolute(data) ? data : join(homedir(), ".local", "share");
const home = named || join(base, "redis-addon");
const removals = [
  ["npm run redis-addon -- agent stop", "ends the agent, and every server that it still runs"],
  [`rm -r ${home}`, "removes the data home: all backups, and the data of other stacks' add-ons"],
  [`rm -r ${stateFolder()}`, "removes the stack's state, after npm run destroy only"],
];
const width = Math.max(...removals.map(([command]) => command.length));
console.log(`
Backups stay in ${join(home, "backups")}; npm start makes new add-ons.
To remove everything:`);
for (const [command, what] of removals) console.log(`  ${command.padEnd(width)}  ${what}`);
