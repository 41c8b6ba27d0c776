// npm run destroy: removes what npm start has made. Backups stay.
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { pulumiEnvironment, stateFolder } from "./environment.mjs";
import { passThrough } from "./hand-over.mjs";
import { checkout } from "./setup/checkout.mjs";
import { exitWith, setUpOrExit } from "./setup.mjs";
import { clearLeftovers, exists, stack } from "./start/stack.mjs";

const log = (line) => console.log(`npm run destroy: ${line}`);
const { env: tools, pulumi } = await setUpOrExit();
const env = pulumiEnvironment(tools);
const options = { env, cwd: checkout };

try {
  if (!(await exists({ pulumi, options }))) {
    log(`there is no stack "${stack}", so there is nothing to destroy`);
    process.exit(0);
  }
  await clearLeftovers({ pulumi, options, log });
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
} catch (failure) {
  exitWith(failure);
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
